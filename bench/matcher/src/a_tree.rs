//! A campaign as the crate's language has it, and a request as its event.

use a_tree::{ATree, AttributeDefinition, Event};

use crate::workload::{ATTRIBUTES, Filter, Given, Sort, word};

type Failed = Box<dyn std::error::Error>;

/// A tree for requests of the workload.
pub(crate) fn tree() -> Result<ATree<u64>, Failed> {
    let definitions = ATTRIBUTES.map(|(name, sort, _)| match sort {
        Sort::Word(_) => AttributeDefinition::string(name),
        Sort::Words(..) => AttributeDefinition::string_list(name),
        Sort::Numbers(..) => AttributeDefinition::integer_list(name),
        Sort::Int(_) => AttributeDefinition::integer(name),
        Sort::Float(_) => AttributeDefinition::float(name),
        Sort::Bool => AttributeDefinition::boolean(name),
    });
    ATree::new(&definitions).map_err(|error| error.to_string().into())
}

/// The campaign's text; `None` for what the language has no word for, the beginning of a text.
pub(crate) fn text(filter: &Filter) -> Option<String> {
    let listed = |at: usize, values: &[u32]| {
        let is_int = matches!(ATTRIBUTES[at].1, Sort::Int(_) | Sort::Numbers(..));
        let shown = values.iter().map(|&value| match is_int {
            true => value.to_string(),
            false => format!("'{}'", word(at, value)),
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let number = |at: usize, value: f64| match ATTRIBUTES[at].1 {
        Sort::Int(_) => (value as i64).to_string(),
        // The language knows no exponents, which this form has none of.
        _ if value.fract() == 0.0 => format!("{value}.0"),
        _ => value.to_string(),
    };
    let all = |parts: &[Filter], between: &str| {
        let parts: Vec<String> = parts.iter().map(text).collect::<Option<_>>()?;
        Some(format!("({})", parts.join(between)))
    };
    let name = |at: usize| ATTRIBUTES[at].0;
    match filter {
        Filter::Within(at, values, not) => {
            let verb = if *not { "not in" } else { "in" };
            Some(format!("({} {verb} [{}])", name(*at), listed(*at, values)))
        }
        Filter::Holds(at, values, not) => {
            let verb = if *not { "none of" } else { "one of" };
            Some(format!("({} {verb} [{}])", name(*at), listed(*at, values)))
        }
        Filter::Range(at, low, high) => {
            let low = low.map(|low| format!("({} >= {})", name(*at), number(*at, low)));
            let high = high.map(|high| format!("({} <= {})", name(*at), number(*at, high)));
            Some(format!(
                "({})",
                [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and ")
            ))
        }
        Filter::Is(at, true) => Some(name(*at).to_owned()),
        Filter::Is(at, false) => Some(format!("(not {})", name(*at))),
        Filter::Begins(..) => None,
        Filter::And(parts) => all(parts, " and "),
        Filter::Or(parts) => all(parts, " or "),
    }
}

/// The request as an event.
pub(crate) fn event(tree: &ATree<u64>, request: &[Given]) -> Result<Event, Failed> {
    let mut event = tree.make_event();
    for (at, given) in request.iter().enumerate() {
        let name = ATTRIBUTES[at].0;
        match given {
            Given::Missing => event.with_undefined(name),
            Given::Word(value) => event.with_string(name, &word(at, *value)),
            Given::Some(values) if matches!(ATTRIBUTES[at].1, Sort::Numbers(..)) => event
                .with_integer_list(
                    name,
                    &values.iter().map(|&value| value.into()).collect::<Vec<_>>(),
                ),
            Given::Some(values) => {
                let words: Vec<String> = values.iter().map(|&value| word(at, value)).collect();
                event.with_string_list(name, &words.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Given::Int(value) => event.with_integer(name, *value),
            Given::Float(value) => {
                let (digits, scale) = decimal(*value)?;
                event.with_float(name, digits, scale)
            }
            Given::Bool(value) => event.with_boolean(name, *value),
        }
        .map_err(|error| error.to_string())?;
    }
    event.build().map_err(|error| error.to_string().into())
}

/// The float's shortest digits, without the point, and how many of them are behind it.
fn decimal(value: f64) -> Result<(i64, u32), Failed> {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    Ok((format!("{whole}{fraction}").parse()?, fraction.len() as u32))
}
