//! What one packet is answered: so much and no more, since a packet may ask three thousand times, and lie about who asks.

use rosc::OscMessage;

/// Enough for a desk with a screen for each session.
const MOST: usize = 64;

/// The answers to one packet.
#[derive(Default)]
pub struct Answers(Vec<OscMessage>);

impl Answers {
    /// Adds one, if there is room.
    pub fn push(&mut self, answer: OscMessage) {
        if self.room() > 0 {
            self.0.push(answer);
        }
    }

    /// How many more there may be.
    pub fn room(&self) -> usize {
        MOST - self.0.len()
    }

    /// All of them, in their order.
    pub fn into_messages(self) -> Vec<OscMessage> {
        self.0
    }
}
