//! `make fuzz`; see [`limn_rubble::multipart`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::multipart::read(input));
