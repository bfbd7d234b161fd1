//! `make fuzz`; see [`limn_rubble::pictures`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::pictures::read(input));
