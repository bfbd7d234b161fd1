//! `make fuzz`; see [`limn_rubble::access`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::access::read(input));
