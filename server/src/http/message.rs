//! How far a WebSocket's message has come, before it is whole.

use super::cut::{Cut, TEXT_BYTES};

/// The longest ping, pong or close (RFC 6455, 5.5).
const CONTROL_BYTES: u64 = 125;

/// Where in a stream of frames (RFC 6455, 5.2) one is.
pub struct Frames {
    limit: u64,
    head: Vec<u8>,
    /// Bytes of the frame that are still to come; 0 in a head.
    left: u64,
    /// What the messages' frames have said of the one under way. Frames of control may stand between them.
    message: Option<Message>,
    /// How many messages there were before it.
    count: u64,
}

struct Message {
    is_text: bool,
    bytes: u64,
    /// Whether the last of its frames has begun.
    ends: bool,
}

impl Frames {
    /// None yet; no message may be longer than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit as u64,
            head: Vec::new(),
            left: 0,
            message: None,
            count: 0,
        }
    }

    /// Passes over `bytes`.
    ///
    /// # Errors
    /// At the head of a frame with which its message is too long.
    pub fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Cut> {
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let some =
                    usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.left -= some as u64;
                bytes = &bytes[some..];
            } else {
                self.head.push(*first);
                bytes = rest;
                let Some(length) = length(&self.head) else {
                    continue;
                };
                self.left = length;
                self.begin(length)?;
                self.head.clear();
            }
            if self.left == 0 && self.message.as_ref().is_some_and(|message| message.ends) {
                self.message = None;
                self.count += 1;
            }
        }
        Ok(())
    }

    /// A frame whose head is there.
    fn begin(&mut self, length: u64) -> Result<(), Cut> {
        let (ends, opcode) = (self.head[0] & 0x80 != 0, self.head[0] & 0xf);
        let bytes = match (opcode, &mut self.message) {
            (8.., _) if length > CONTROL_BYTES => return Err(Cut::TooLong(CONTROL_BYTES as usize)),
            // It is of no message.
            (8.., _) => length,
            (_, Some(message)) => {
                message.ends = ends;
                message.bytes = message.bytes.saturating_add(length);
                message.bytes
            }
            (_, none) => {
                let is_text = opcode == 1;
                *none = Some(Message {
                    is_text,
                    bytes: length,
                    ends,
                });
                length
            }
        };
        let text = self.message.as_ref().is_some_and(|message| message.is_text);
        if bytes > self.limit {
            return Err(Cut::TooLong(self.limit as usize));
        }
        if text && bytes > TEXT_BYTES as u64 {
            return Err(Cut::TextTooLong);
        }
        Ok(())
    }

    /// What has begun and is not whole: its number, and how many bytes it has said to be so far.
    pub fn under_way(&self) -> Option<(u64, u64)> {
        let bytes = self.message.as_ref().map(|message| message.bytes);
        let begun = !self.head.is_empty() || self.left > 0;
        let bytes = bytes.or_else(|| begun.then_some(0))?;
        Some((self.count, bytes))
    }
}

/// How many bytes follow a head, its mask included, once all of it is there.
fn length(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let more = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let extended = head.get(2..2 + more + mask)?.get(..more)?;
    Some(match more {
        0 => u64::from(second & 0x7f),
        _ => extended
            .iter()
            .fold(0, |length, byte| length << 8 | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it, masked with nothing.
    fn frame(first: u8, length: usize) -> Vec<u8> {
        let head = match length {
            0..126 => vec![first, 0x80 | length as u8],
            126..0x1_0000 => [&[first, 0xfe][..], &(length as u16).to_be_bytes()].concat(),
            _ => [&[first, 0xff][..], &(length as u64).to_be_bytes()].concat(),
        };
        // A payload of what could be a head.
        [head, vec![0; 4], vec![0xff; length]].concat()
    }

    fn picture(length: usize) -> Vec<u8> {
        frame(0x82, length)
    }

    fn passed(stream: &[u8], size: usize) -> Result<Frames, Cut> {
        let mut frames = Frames::new(70_000);
        for piece in stream.chunks(size) {
            frames.pass(piece)?;
        }
        Ok(frames)
    }

    #[test]
    fn lengths_are_found_however_the_stream_is_cut() {
        let good = [0, 1, 125, 126, 1000, 70_000, 0].map(picture).concat();
        let bad = [good.clone(), picture(70_001)].concat();
        for size in [1, 3, 1000, bad.len()] {
            let frames = passed(&good, size).unwrap();
            assert_eq!((frames.under_way(), frames.count), (None, 7), "{size}");
            let cut = passed(&bad, size).err();
            assert_eq!(cut, Some(Cut::TooLong(70_000)), "{size}");
        }
    }

    #[test]
    fn a_head_is_enough() {
        let head = [
            0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
        ];
        assert!(Frames::new(16 << 20).pass(&head).is_err());
    }

    #[test]
    fn the_pieces_of_a_message_are_as_long_together_as_one() {
        // A picture in three, with a ping among them.
        let parts = [frame(2, 30_000), frame(0x89, 5), frame(0, 40_000)];
        let whole = [&parts.concat()[..], &frame(0x80, 0)].concat();
        assert_eq!(passed(&whole, 1000).unwrap().under_way(), None);
        let two = passed(&parts.concat(), 1000).unwrap();
        assert_eq!(two.under_way(), Some((0, 70_000)));
        let more = [&parts.concat()[..], &frame(0x80, 1)].concat();
        assert_eq!(passed(&more, 1000).err(), Some(Cut::TooLong(70_000)));
        let words = [frame(1, 65_536), frame(0x80, 1)].concat();
        assert_eq!(passed(&words, 1000).err(), Some(Cut::TextTooLong));
        assert!(passed(&frame(0x81, 65_536), 1000).is_ok());
        let ping = passed(&frame(0x89, 126), 1000);
        assert_eq!(ping.err(), Some(Cut::TooLong(125)));
    }

    #[test]
    fn what_has_begun_is_under_way_until_it_is_whole() {
        let both = [picture(3), picture(1000)].concat();
        let end = both.len();
        for (until, under_way) in [
            (1, Some((0, 0))),
            (8, Some((0, 3))),
            (9, None),
            (10, Some((1, 0))),
            (end - 1, Some((1, 1000))),
            (end, None),
        ] {
            let frames = passed(&both[..until], 4).unwrap();
            assert_eq!(frames.under_way(), under_way, "{until}");
        }
        // A frame of control that is not whole is under way as well.
        let ping = passed(&frame(0x89, 5)[..8], 4).unwrap();
        assert_eq!(ping.under_way(), Some((0, 0)));
    }
}
