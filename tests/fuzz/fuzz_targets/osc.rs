//! `make fuzz`; see [`limn_rubble::osc`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::osc::read(input));
