//! Who tries keys: so many wrong ones from one address in a minute, and no other is looked at for the rest of it.
//!
//! Keys that people make up can be guessed. Those that the server makes, control tokens and signed rights have 128 random
//! bits or more, and are looked at always: nobody who has one is kept out by somebody else behind the same address, and
//! those who show an old one guess nothing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// How many wrong keys are looked at in a minute. The same one again is none: a page asks often.
const MOST: usize = 10;

/// How long they count, from the first.
const MINUTE: Duration = Duration::from_secs(60);

/// How many addresses are remembered: some 200 bytes each.
const ADDRESSES: usize = 4096;

/// Hex digits of 128 bits.
const RANDOM: usize = 32;

/// Too many keys were tried from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} wrong keys came from this address within a minute")]
pub struct TooMany {
    /// Until when none is looked at.
    pub wait: Duration,
}

/// See the module.
#[derive(Default)]
pub struct Guesses(Mutex<HashMap<IpAddr, Tried>>);

struct Tried {
    since: Instant,
    /// Hashes of the keys.
    wrong: Vec<u64>,
}

impl Guesses {
    /// Whether another key may be looked at.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, from: IpAddr, now: Instant) -> Result<(), TooMany> {
        let there = lock(&self.0);
        let Some(tried) = there.get(&from) else {
            return Ok(());
        };
        let wait = MINUTE.saturating_sub(now.saturating_duration_since(tried.since));
        if tried.wrong.len() < MOST || wait.is_zero() {
            return Ok(());
        }
        Err(TooMany { wait })
    }

    /// A key was wrong.
    pub fn wrong(&self, from: IpAddr, key: &str, now: Instant) {
        let mut there = lock(&self.0);
        if there.len() >= ADDRESSES && !there.contains_key(&from) {
            make_room(&mut there, now);
        }
        let new = || Tried {
            since: now,
            wrong: Vec::new(),
        };
        let tried = there.entry(from).or_insert_with(new);
        if is_over(tried, now) {
            *tried = new();
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        if !tried.wrong.contains(&hash) && tried.wrong.len() < MOST {
            tried.wrong.push(hash);
        }
    }
}

fn is_over(tried: &Tried, now: Instant) -> bool {
    now.saturating_duration_since(tried.since) >= MINUTE
}

/// Forgets those whose minute is over, or else whoever began first.
fn make_room(there: &mut HashMap<IpAddr, Tried>, now: Instant) {
    there.retain(|_, tried| !is_over(tried, now));
    if there.len() < ADDRESSES {
        return;
    }
    let first = there.iter().min_by_key(|(_, tried)| tried.since);
    if let Some(first) = first.map(|(from, _)| *from) {
        there.remove(&first);
    }
}

/// Whether it might be a key that somebody made up. What the server makes ends in hex digits, behind `.` or `_` or by
/// themselves.
pub fn can_be_guessed(key: &str) -> bool {
    let end = key.rsplit(['.', '_']).next().unwrap_or_default();
    end.len() < RANDOM || !end.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::keys::new_key;
    use crate::access::{Grant, Right, signed};
    use crate::session::token::Token;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0xc000_0200 + number).into()
    }

    #[test]
    fn ten_wrong_keys_and_no_more_until_the_minute_is_over() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let from = address(1);
        for number in 0..MOST {
            assert_eq!(guesses.check(from, start), Ok(()), "{number}");
            guesses.wrong(from, &number.to_string(), start);
        }
        let later = start + Duration::from_secs(20);
        let wait = Duration::from_secs(40);
        assert_eq!(guesses.check(from, later), Err(TooMany { wait }));
        assert_eq!(guesses.check(address(2), later), Ok(()));
        let over = start + MINUTE;
        assert_eq!(guesses.check(from, over), Ok(()));
        guesses.wrong(from, "another", over);
        assert_eq!(guesses.check(from, over), Ok(()));
    }

    #[test]
    fn the_same_wrong_key_is_one() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        (0..100).for_each(|_| guesses.wrong(address(1), "old", now));
        assert_eq!(guesses.check(address(1), now), Ok(()));
    }

    #[test]
    fn so_many_addresses_are_remembered_and_the_last_ones_at_that() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let most = u32::try_from(ADDRESSES).unwrap();
        for number in 0..most + 10 {
            let now = start + Duration::from_millis(u64::from(number));
            guesses.wrong(address(number), "guess", now);
        }
        let there = lock(&guesses.0);
        assert_eq!(there.len(), ADDRESSES);
        assert!(!there.contains_key(&address(9)) && there.contains_key(&address(10)));
    }

    #[test]
    fn what_the_server_makes_cannot_be_guessed() {
        let grant = Grant::everywhere(Right::Viewer);
        for random in [
            new_key(Right::Player, None).0,
            Token::new().reveal().to_owned(),
            signed::sign(b"secret", &grant, 0),
        ] {
            assert!(!can_be_guessed(&random), "{random}");
        }
        for key in ["", "open-sesame", "limn_", "0123456789abcdef", "a.b"] {
            assert!(can_be_guessed(key), "{key}");
        }
    }
}
