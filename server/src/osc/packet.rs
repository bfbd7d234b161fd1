//! The messages of a packet, whatever bundles they stand in.

use rosc::{OscMessage, OscPacket};

/// What every bundle begins with (OSC 1.0, "OSC Bundles").
const BUNDLE: &[u8] = b"#bundle\0";

/// The decoder calls itself for every bundle in a bundle, and a packet has room for thousands: more than any stack.
const MOST_BUNDLES: usize = 64;

/// What opens an array among the type tags. Arrays in arrays are freed by calls in calls, and a packet has room for tens of
/// thousands. In words it is a bracket like any other, so many are let through.
const ARRAY: u8 = b'[';
const MOST_ARRAYS: usize = 1_000;

/// The messages in `bytes`, in their order.
///
/// # Errors
/// A sentence, if that is no OSC.
pub fn messages(bytes: &[u8]) -> Result<Vec<OscMessage>, String> {
    let bundles = bytes.windows(BUNDLE.len());
    let bundles = bundles.filter(|start| *start == BUNDLE).count();
    let arrays = bytes.iter().filter(|byte| **byte == ARRAY).count();
    for (count, what, most) in [
        (bundles, "bundles", MOST_BUNDLES),
        (arrays, "arrays", MOST_ARRAYS),
    ] {
        if count > most {
            return Err(format!(
                "this packet has {count} {what}, and {most} are the most"
            ));
        }
    }
    let (_, packet) =
        rosc::decoder::decode_udp(bytes).map_err(|error| format!("this is no OSC: {error}"))?;
    let mut messages = Vec::new();
    unpack(packet, &mut messages);
    Ok(messages)
}

fn unpack(packet: OscPacket, messages: &mut Vec<OscMessage>) {
    match packet {
        OscPacket::Message(message) => messages.push(message),
        OscPacket::Bundle(bundle) => {
            for packet in bundle.content {
                unpack(packet, messages);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message inside so many bundles.
    fn nested(depth: usize) -> Vec<u8> {
        (0..depth).fold(b"/a\0\0,\0\0\0".to_vec(), |inside, _| {
            let mut bundle = BUNDLE.to_vec();
            bundle.extend([0, 0, 0, 0, 0, 0, 0, 1]);
            bundle.extend((inside.len() as u32).to_be_bytes());
            bundle.extend(inside);
            bundle
        })
    }

    #[test]
    fn a_message_is_found_in_its_bundles() {
        for depth in [0, 1, MOST_BUNDLES] {
            let messages = messages(&nested(depth)).unwrap();
            assert_eq!(messages.len(), 1, "{depth}");
            assert_eq!(messages[0].addr, "/a");
        }
    }

    /// What is said to a packet on the stack of one of tokio's threads, as in the server.
    fn said(packet: Vec<u8>) -> Result<usize, String> {
        assert!(packet.len() < super::super::LARGEST);
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let read = thread.spawn(move || messages(&packet).map(|messages| messages.len()));
        read.unwrap().join().unwrap()
    }

    #[test]
    fn a_packet_full_of_bundles_is_refused_and_not_followed() {
        let refusal = said(nested(3_000)).unwrap_err();
        assert_eq!(refusal, "this packet has 3000 bundles, and 64 are the most");
    }

    #[test]
    fn a_packet_full_of_arrays_is_refused_and_not_followed() {
        let arrays = |count: usize| {
            let tags = "[".repeat(count) + &"]".repeat(count);
            let mut packet = format!("/a\0\0,{tags}").into_bytes();
            packet.resize(packet.len() + 4 - packet.len() % 4, 0);
            packet
        };
        assert_eq!(said(arrays(MOST_ARRAYS)), Ok(1));
        let refusal = said(arrays(30_000)).unwrap_err();
        assert_eq!(
            refusal,
            "this packet has 30000 arrays, and 1000 are the most"
        );
    }

    #[test]
    fn rubble_is_told() {
        for rubble in [&b""[..], b"hello", b"#bundle", b"/a"] {
            let refusal = messages(rubble).unwrap_err();
            assert!(refusal.starts_with("this is no OSC"), "{refusal}");
        }
    }
}
