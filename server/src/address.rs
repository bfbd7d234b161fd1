//! Who counts as one where something is counted by address.

use std::net::{IpAddr, Ipv6Addr};

/// The part of an IPv6 address that names a network: one customer has all that lies behind it (RFC 6177).
const NETWORK: u128 = !0 << 64;

/// What limits by address count `address` under: itself if it is an IPv4 address, be it written as an IPv6 one (RFC 4291,
/// 2.5.5.2), and its /64 if it is an IPv6 address. `None` on loopback, where nothing is counted: all who come by way of
/// this machine (a proxy, most often) have that address.
pub fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        own if own.is_loopback() => None,
        IpAddr::V6(address) => Some(Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()),
        address => Some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_however_its_address_is_written() {
        for (address, counts_as) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
            ("2001:db8:1:2::", Some("2001:db8:1:2::")),
            ("2001:db8:1:3::", Some("2001:db8:1:3::")),
            ("127.0.0.1", None),
            ("127.9.9.9", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
        ] {
            let counts_as = counts_as.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(counted(address.parse().unwrap()), counts_as, "{address}");
        }
    }
}
