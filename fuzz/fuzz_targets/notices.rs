#![no_main]

#[path = "../checks/notices.rs"]
mod notices;

libfuzzer_sys::fuzz_target!(|data: &[u8]| notices::check(data));
