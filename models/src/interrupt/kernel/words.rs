//! How a step reads.

use downbeat_sim::model::Told;

use super::judgement::standing;
use super::{Action, State};

const WORLD: usize = 0;
const KERNEL: usize = 1;

pub(super) fn told(before: &State, action: &Action, after: &State) -> Told {
    let crash = action.cut.map_or(String::new(), |cut| format!(", and a crash after {cut} effects"));
    let text = match &action.event {
        Some(event) => format!("{:?}: {event:?}{crash}", action.kind),
        None => "the process crashes, and begins anew".to_owned(),
    };
    let told = Told::new(WORLD, KERNEL, text);
    let (was, is) = (standing(before), standing(after));
    if was == is { told } else { told.change(is) }
}
