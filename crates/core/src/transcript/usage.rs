//! What a run spent: tokens and money of this process alone (RES-09).

use std::borrow::Cow;
use std::ops::Add;

use serde::de::{Deserialize, Deserializer, MapAccess};

use super::event::{LastTurnUsage, ResultEvent};
use super::lenient::{Number, Object, Pick, pick};

/// Tokens and cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Input tokens, including those that were written to the cache.
    pub input_tokens: u64,
    /// Input tokens that were read from the cache.
    pub cached_input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// US dollars at list price; `None` when the output does not say.
    pub cost_usd: Option<f64>,
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(mine), Some(theirs)) => Some(mine + theirs),
                (mine, theirs) => mine.or(theirs),
            },
        }
    }
}

/// Sum of a member such as `modelUsage`, an object of usages by model. `None`: the member is missing.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct UsageByModel(pub(super) Option<Usage>);

impl<'de> Pick<'de> for UsageByModel {
    fn object<A: MapAccess<'de>>(mut members: A) -> Result<Self, A::Error> {
        let mut sum = Usage::default();
        let mut cost = 0.0;
        while let Some((_, Object(model))) = members.next_entry::<Cow<'de, str>, Object<ModelUsage>>()? {
            sum = sum + model.usage();
            cost += model.cost.0.unwrap_or_default();
        }
        Ok(Self(Some(Usage { cost_usd: Some(cost), ..sum })))
    }
}

impl<'de> Deserialize<'de> for UsageByModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pick(deserializer)
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModelUsage {
    input_tokens: Number,
    cache_creation_input_tokens: Number,
    cache_read_input_tokens: Number,
    output_tokens: Number,
    #[serde(rename = "costUSD")]
    cost: Number,
}

impl ModelUsage {
    fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.input_tokens.count().saturating_add(self.cache_creation_input_tokens.count()),
            cached_input_tokens: self.cache_read_input_tokens.count(),
            output_tokens: self.output_tokens.count(),
            cost_usd: None,
        }
    }
}

/// The account of a run over all its results.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Spending {
    /// Sum of `model_usage_since_last_result`: what this process spent.
    own: Option<Usage>,
    /// Totals of the last result, for releases without that member, which count from the start of the process.
    /// With the member they must not be used: after `--resume` they contain earlier runs.
    last_totals: Option<Usage>,
    /// A cost that cannot be was claimed, and left out.
    pub(super) odd: bool,
}

impl Spending {
    pub(super) fn add(&mut self, result: &ResultEvent<'_>) {
        let possible = |amount: &f64| amount.is_finite() && *amount >= 0.0;
        let mut money = |amount: Option<f64>| {
            self.odd |= !amount.as_ref().is_none_or(possible);
            amount.filter(possible)
        };
        if let Some(since) = result.model_usage_since_last_result.0 {
            let since = Usage { cost_usd: Some(money(since.cost_usd).unwrap_or_default()), ..since };
            self.own = Some(self.own.map_or(since, |own| own + since));
            return;
        }
        let by_model = result.model_usage.0.filter(|usage| *usage != Usage { cost_usd: Some(0.0), ..Usage::default() });
        let tokens = by_model.unwrap_or_else(|| last_turn(&result.usage.0));
        let cost_usd = money(result.total_cost_usd.0).or(money(tokens.cost_usd));
        self.last_totals = Some(Usage { cost_usd, ..tokens });
    }

    pub(super) fn total(self) -> Option<Usage> {
        self.own.or(self.last_totals)
    }
}

fn last_turn(usage: &LastTurnUsage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens.count().saturating_add(usage.cache_creation_input_tokens.count()),
        cached_input_tokens: usage.cache_read_input_tokens.count(),
        output_tokens: usage.output_tokens.count(),
        cost_usd: None,
    }
}
