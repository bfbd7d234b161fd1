//! `make fuzz`; see [`limn_rubble::config`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::config::read(input));
