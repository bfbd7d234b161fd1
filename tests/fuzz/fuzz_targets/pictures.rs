//! `make fuzz`; see [`limn_rubble::pictures`].

#![no_main]

libfuzzer_sys::fuzz_target!(
    // libFuzzer's own hook ends the process at a panic that is caught, too, and one decoder's are.
    init: drop(std::panic::take_hook()),
    |input: &[u8]| limn_rubble::pictures::read(input)
);
