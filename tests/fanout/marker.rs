//! A segment behind a picture's first two bytes that says which it is and when it was sent: APP0, which Limn leaves in where it
//! takes comments out. `fakecam.c` writes the same one.

use rustix::time::{ClockId, clock_gettime};

const MAGIC: &[u8; 8] = b"LIMNFANS";

/// APP0 (ITU-T T.81, B.2.4.6), its length with the two bytes that say it.
const SEGMENT: [u8; 4] = [0xff, 0xe0, 0, 26];

/// How many bytes a picture must show for its marker to be read.
pub const PREFIX_BYTES: usize = 30;

/// What a picture says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Counts the camera's pictures.
    pub sequence: u64,
    /// When it was sent, by [`now`].
    pub sent: u64,
}

/// Nanoseconds of the clock that the whole machine shares.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

impl Marker {
    /// `jpeg` with this marker in it.
    pub fn stamp(self, jpeg: &[u8]) -> Vec<u8> {
        let (start, rest) = jpeg.split_at(2);
        let (sequence, sent) = (self.sequence.to_le_bytes(), self.sent.to_le_bytes());
        [start, &SEGMENT, MAGIC, &sequence, &sent, rest].concat()
    }

    /// The marker of a picture that begins with `prefix`; `None` where it was compressed anew on its way.
    pub fn read(prefix: &[u8; PREFIX_BYTES]) -> Option<Self> {
        let rest = prefix[2..].strip_prefix(&SEGMENT)?.strip_prefix(MAGIC)?;
        let (sequence, sent) = rest.split_at(8);
        Some(Self {
            sequence: u64::from_le_bytes(sequence.try_into().ok()?),
            sent: u64::from_le_bytes(sent.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stamped_is_read() {
        let marker = Marker {
            sequence: 7,
            sent: now(),
        };
        let stamped = marker.stamp(b"\xff\xd8\xff\xd9");
        assert_eq!(stamped.len(), PREFIX_BYTES + 2);
        let prefix = stamped[..PREFIX_BYTES].try_into().expect("a prefix");
        assert_eq!(Marker::read(prefix), Some(marker));
        assert_eq!(Marker::read(&[0; PREFIX_BYTES]), None);
    }
}
