//! What a container claims about itself and no cluster can check, within what can be (TRU-20).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::transcript::Usage;

/// The host stores tokens as 32-bit integers.
const MOST_TOKENS: u64 = i32::MAX as u64;
/// No run costs more; what claims so is not believed.
const MOST_USD: f64 = 10_000.0;
/// The longest window of a usage limit is a week.
const LATEST_RETRY: SignedDuration = SignedDuration::from_hours(8 * 24);

/// The usage as it is booked. `odd_cost`: a cost that cannot be was left out of it already.
pub(super) fn plausible(claimed: Usage, odd_cost: bool, warnings: &mut Vec<String>) -> Usage {
    let mut odd = Vec::new();
    let mut tokens = |count: u64, what: &str| {
        if count > MOST_TOKENS {
            odd.push(format!("{count} {what} tokens are booked as {MOST_TOKENS}"));
        }
        count.min(MOST_TOKENS)
    };
    let usage = Usage {
        input_tokens: tokens(claimed.input_tokens, "input"),
        cached_input_tokens: tokens(claimed.cached_input_tokens, "cached input"),
        output_tokens: tokens(claimed.output_tokens, "output"),
        cost_usd: claimed.cost_usd.map(|cost| if cost > MOST_USD { MOST_USD } else { cost }),
    };
    if let Some(cost) = claimed.cost_usd.filter(|cost| *cost > MOST_USD) {
        odd.push(format!("a cost of {cost:.2} USD is booked as {MOST_USD:.2}"));
    }
    if odd_cost {
        odd.push("a negative or endless cost is booked as 0".to_owned());
    }
    if !odd.is_empty() {
        warnings.push(format!("the container's claims about its usage are not believed: {}", odd.join("; ")));
    }
    usage
}

/// A time to wait for, at most eight days ahead.
pub(super) fn near(time: Timestamp, now: Timestamp) -> Timestamp {
    now.checked_add(LATEST_RETRY).map_or(time, |latest| time.min(latest))
}

/// The CLI's own numbers, which the server's run list and its page take for the run's.
const NUMBERS: [&str; 7] = [
    "total_cost_usd",
    "usage",
    "modelUsage",
    "model_usage_since_last_result",
    "num_turns",
    "duration_ms",
    "duration_api_ms",
];

/// The same bounds for the members of the CLI's result that are handed on.
pub(super) fn bound_numbers(members: &mut Map<String, Value>) {
    members.retain(|name, value| name != "total_cost_usd" || value.is_number());
    for (name, value) in members.iter_mut().filter(|(name, _)| NUMBERS.contains(&name.as_str())) {
        bound(name, value);
    }
}

fn bound(name: &str, value: &mut Value) {
    match value {
        Value::Number(number) => {
            let claimed = number.as_f64().unwrap_or_default();
            let is_money = name.to_ascii_lowercase().contains("cost");
            if is_money && !(0.0..=MOST_USD).contains(&claimed) {
                *value = claimed.clamp(0.0, MOST_USD).into();
            } else if !is_money && !(0.0..=f64::from(i32::MAX)).contains(&claimed) {
                *value = if claimed < 0.0 { 0.into() } else { MOST_TOKENS.into() };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bound(name, item)),
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| bound(name, member)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
