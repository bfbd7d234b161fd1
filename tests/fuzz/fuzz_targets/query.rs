//! `make fuzz`; see [`limn_rubble::query`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::query::read(input));
