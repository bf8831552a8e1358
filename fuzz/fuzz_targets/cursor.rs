#![no_main]

#[path = "../checks/cursor.rs"]
mod cursor;
#[path = "../../crates/core/tests/it/log_kubelet.rs"]
mod log_kubelet;
#[path = "../../crates/core/tests/it/log_reader.rs"]
mod log_reader;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cursor::check(data));
