#![no_main]

#[path = "../checks/transcript.rs"]
mod transcript;

libfuzzer_sys::fuzz_target!(|data: &[u8]| transcript::check(data));
