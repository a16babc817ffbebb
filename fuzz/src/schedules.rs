//! Any bytes as a scenario of the simulated world, and one of its schedules.

use crate::bytes::Bytes;
use downbeat_sim::explore::{End, Explorer};
use downbeat_world::{INGREDIENTS, Marks, Scenario};

/// Plays the shell that ships: the first three bytes say what may happen, each of the others makes one choice.
///
/// # Panics
/// If the shell breaks a promise.
pub fn schedules(bytes: &[u8]) {
    let (scenario, rest) = scenario(bytes);
    let scene = scenario.scene();
    let execution = Explorer::new(|world| scene.play(world, Marks::default())).bytes(rest);
    let is_kept = matches!(execution.end, End::Returned(Ok(_)));
    assert!(is_kept, "{} {}: {:?}", scenario.name(), execution.schedule, execution.end);
}

/// The scenario, and the bytes that its choices are made of.
pub(crate) fn scenario(bytes: &[u8]) -> (Scenario, &[u8]) {
    let (head, rest) = bytes.split_at(bytes.len().min(3));
    let mut head = Bytes::new(head);
    let chosen = u32::from_le_bytes([head.byte(), head.byte(), head.byte(), 0]);
    let is_there = |place: usize| chosen >> place & 1 == 1;
    let names = INGREDIENTS.iter().enumerate().filter(|(place, _)| is_there(*place));
    let names: Vec<&str> = std::iter::once("task").chain(names.map(|(_, part)| part.name)).collect();
    (names.join("+").parse().expect("each is there once"), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_say_what_may_happen() {
        let (all, rest) = scenario(&[0xff, 0xff, 0xff, 1]);
        let words = |scenario: &Scenario| scenario.name().split('+').count();
        // Whoever has an agent that dies has a pool.
        assert_eq!((words(&all), rest), (INGREDIENTS.len() - 1, [1].as_slice()));
        let (none, rest) = scenario(&[]);
        assert_eq!((none.name(), rest), ("task", [].as_slice()));
        let (first, _) = scenario(&[1]);
        assert_eq!(first.name(), INGREDIENTS[0].name);
    }

    #[test]
    fn fault_in_the_shell_is_found() {
        use downbeat_shell::fault::{Fault, plant};
        plant(Some(Fault::SendsTwice));
        let found = std::panic::catch_unwind(|| schedules(&[]));
        plant(None);
        assert!(found.is_err());
        schedules(&[]);
    }
}
