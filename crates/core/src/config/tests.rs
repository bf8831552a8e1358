use serde_json::Map;

use super::keys::{Row, rows};
use super::parse::read;
use super::reader::Reader;

#[test]
fn cfg_04_the_parser_looks_at_exactly_the_documented_keys() {
    let config = Map::new();
    let mut reader = Reader::new(&config);
    read(&mut reader);
    let mut documented: Vec<&str> = rows().map(Row::name).collect();
    documented.sort_unstable();
    let looked_at: Vec<&str> = reader.looked_at.into_iter().collect();
    assert_eq!(looked_at, documented);
}
