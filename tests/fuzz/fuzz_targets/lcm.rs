//! `make fuzz`; see [`limn_rubble::lcm`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| limn_rubble::lcm::read(input));
