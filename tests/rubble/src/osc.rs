//! An OSC packet: each message's address is read, and each argument becomes what each row's parameter of that name takes.

use limn_server::osc::address::{Address, number, value};
use limn_server::osc::packet::messages;
use serde_json::Map;

use crate::doors;

/// # Panics
/// Never, if all is well.
pub fn read(input: &[u8]) {
    // No packet that UDP carries is larger.
    for message in messages(&input[..input.len().min(65_507)]).unwrap_or_default() {
        for argument in &message.args {
            number(argument);
        }
        let Some(Address::Param { name, .. }) = Address::read(&message.addr) else {
            continue;
        };
        let Some(argument) = message.args.first() else {
            continue;
        };
        for choice in doors::LISTING.rows() {
            let schema = &choice.door.schema()["properties"][name];
            if let Some(value) = value(argument, schema) {
                doors::enter(&choice, &Map::from_iter([(name.to_owned(), value)]));
            }
        }
    }
}
