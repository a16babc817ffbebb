//! Which executions are the same but for the order of steps that do not conflict.
//!
//! Such executions are one *class* (a Mazurkiewicz trace). A class has a number of 128 bits that is made of the steps, each with what the
//! world chose and what was drawn in it, and with all that happened just before it, so that it does not depend on the order of the others.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::fault;
use super::mix::mix;
use super::names::Names;
use super::trace::Trace;

/// The classes that were seen. Its memory is used again for the next execution.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// With the number of the value that the program returned, or none if it came to another end. Which task a panic or a deadlock
    /// names may differ.
    seen: HashMap<Pair, Option<u32>, FixedState>,
    objects: Vec<Uses>,
    actors: Vec<Pair>,
}

/// Two words, each made with numbers of its own.
type Pair = [u64; 2];

#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    /// The step that wrote it last.
    writer: Pair,
    /// The sum of the steps that have read it since.
    readers: Pair,
}

impl Classes {
    /// Takes an execution, with the number of the value that the program returned. False if another one of its class came to something
    /// else.
    pub(super) fn insert(&mut self, trace: &Trace, names: &Names, returned: Option<u32>) -> bool {
        let class = self.class(trace, names);
        *self.seen.entry(class).or_insert(returned) == returned || fault::is_any()
    }

    /// How many classes there are, if no two have one number: a number of 128 bits stands for each.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    fn class(&mut self, trace: &Trace, names: &Names) -> Pair {
        self.objects.clear();
        self.objects.resize(names.objects(), Uses::default());
        self.actors.clear();
        self.actors.resize(names.actors(), [0; 2]);
        let mut class = [0; 2];
        for (number, step) in trace.steps().iter().enumerate() {
            let mut sum = [0; 2];
            for touch in trace.footprint(number) {
                let uses = self.objects[touch.object().index()];
                let object = names.identity_of_object(touch.object()) ^ u64::from(touch.writes());
                let used = each(|lane| mix(object + lane as u64, uses.writer[lane]));
                add(&mut sum, used);
                if touch.writes() {
                    add(&mut sum, each(|lane| mix(object, uses.readers[lane])));
                }
            }
            let identity = names.identity(step.actor);
            let before = self.actors[step.actor.index()];
            let mut this = each(|lane| mix(mix(identity + lane as u64, before[lane]), sum[lane]));
            for choice in trace.within(number) {
                this = this.map(|word| mix(word, choice.taken as u64 + 1));
            }
            if let Some(drawn) = step.drawn {
                this = this.map(|word| mix(word, drawn));
            }
            self.actors[step.actor.index()] = this;
            for touch in trace.footprint(number) {
                let uses = &mut self.objects[touch.object().index()];
                if touch.writes() {
                    *uses = Uses { writer: this, readers: [0; 2] };
                } else {
                    add(&mut uses.readers, this);
                }
            }
            add(&mut class, this);
        }
        class
    }
}

fn each(word: impl Fn(usize) -> u64) -> Pair {
    [word(0), word(1)]
}

fn add(sum: &mut Pair, other: Pair) {
    sum.iter_mut().zip(other).for_each(|(sum, word)| *sum = sum.wrapping_add(word));
}
