//! A checker that is slow and plainly right: whole states in a list, compared one by one with `==`.
//!
//! Safety is judged by looking at states and steps in the order in which they were found, liveness by all histories of
//! a loop and, where there are few states, by all sets of states besides. Nothing is shared with the checker that it is
//! compared with but the types of a report.

use std::collections::BTreeSet;
use std::time::Duration;

use downbeat_sim::check::Limit;
use downbeat_sim::model::{Check, Fairness, Model, OnState, OnStep, Property, Strength};
use downbeat_sim::report::{
    Counterexample, Coverage, FairAction, PropertyReport, Report, Step as ToldStep, Storage, Verdict,
};

/// Farther than any state.
const FAR: usize = usize::MAX / 2;
/// Few enough that all sets of them can be tried.
const FEW: usize = 7;

/// Every state that can be reached and every step, in the order in which they are found.
pub(crate) struct Naive<'a, M: Model> {
    model: &'a M,
    pub(crate) states: Vec<M::State>,
    /// Steps from an initial state.
    distance: Vec<usize>,
    /// From which state, and by which of its steps, each state was found. Of an initial state, nothing.
    origins: Vec<Option<(usize, usize)>>,
    steps: Vec<Vec<Step<M>>>,
    /// The initial states as the model lists them.
    initial: usize,
    /// The fair actions that are strongly fair, and all of them, as bits.
    strong: u32,
    fair: u32,
}

struct Step<M: Model> {
    action: M::Action,
    to: usize,
    /// The fair actions that it takes, as bits.
    fair: u32,
}

/// How much a lasso is: its steps, whether it goes round, and the steps before its loop. Less is better.
pub(crate) type Measure = (usize, bool, usize);

/// What fairness asks about a walk: where it is, which fair actions were enabled in all of its states and in some, and
/// which were taken, as bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct History {
    here: usize,
    everywhere: u32,
    somewhere: u32,
    taken: u32,
}

impl<'a, M: Model> Naive<'a, M> {
    pub(crate) fn of(model: &'a M) -> Self {
        Self::of_only(model, |state| state)
    }

    /// Visits another state in the place of each one.
    pub(crate) fn of_only(model: &'a M, visited: impl Fn(M::State) -> M::State) -> Self {
        let fairness = model.fairness();
        let bits = |is_in: &dyn Fn(&Fairness<M>) -> bool| {
            (0..).zip(&fairness).fold(0, |bits, (bit, fair)| bits | u32::from(is_in(fair)) << bit)
        };
        let (strong, fair) = (bits(&|fair| fair.strength == Strength::Strong), bits(&|_| true));
        let (states, distance, origins, steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut naive = Self { model, states, distance, origins, steps, initial: 0, strong, fair };
        for state in model.initial() {
            naive.initial += 1;
            naive.find(visited(state), None);
        }
        while naive.steps.len() < naive.states.len() {
            let here = naive.steps.len();
            let state = naive.states[here].clone();
            let mut actions = Vec::new();
            model.actions(&state, &mut actions);
            let enabled =
                actions.into_iter().filter_map(|action| Some((model.next(&state, &action)?, action)));
            let mut steps = Vec::new();
            for (position, (next, action)) in enabled.enumerate() {
                let to = naive.find(visited(next), Some((here, position)));
                let fair = bits(&|fair| to != here && (fair.includes)(&action));
                steps.push(Step { action, to, fair });
            }
            naive.steps.push(steps);
        }
        naive
    }

    /// The number of a state, which is added if it is new.
    fn find(&mut self, state: M::State, origin: Option<(usize, usize)>) -> usize {
        if let Some(number) = self.states.iter().position(|known| *known == state) {
            return number;
        }
        self.states.push(state);
        self.distance.push(origin.map_or(0, |(from, _)| self.distance[from] + 1));
        self.origins.push(origin);
        self.states.len() - 1
    }

    /// The report on these properties for all behaviours of at most so many steps, with no counterexamples for liveness.
    pub(crate) fn report(&self, only: &[&str], most: Option<usize>) -> Report {
        let distinct =
            self.distance.iter().filter(|distance| most.is_none_or(|most| **distance <= most)).count();
        let view = View { naive: self, distinct };
        let properties = self.model.properties();
        let judged = properties.iter().filter(|property| only.contains(&property.id));
        Report {
            properties: judged.map(|property| view.judge(property)).collect(),
            distinct,
            generated: self.initial as u64 + view.steps().count() as u64,
            depth: self.distance[distinct - 1],
            audited: (0..distinct).filter(|rank| *rank < 200 || rank % 1_024 == 0).count(),
            coverage: view.coverage(),
            fairness: view.fairness(only),
            storage: Storage::Exact,
            reduction: None,
            elapsed: Duration::ZERO,
            stopped_by: most.filter(|_| distinct < self.states.len()).map(Limit::Depth),
        }
    }

    /// The way to a state by which it was found.
    fn way(&self, to: usize) -> Vec<(usize, usize)> {
        let back = std::iter::successors(self.origins[to], |(from, _)| self.origins[*from]);
        let mut way: Vec<_> = back.collect();
        way.reverse();
        way
    }

    /// The behaviour that comes to a state as the search did, and may go one step further.
    fn tell(&self, property: &Property<M>, to: usize, step: Option<usize>) -> Counterexample {
        let mut way = self.way(to);
        let first = way.first().map_or(to, |(first, _)| *first);
        way.extend(step.map(|step| (to, step)));
        let last = way.last().map_or(to, |(from, position)| self.steps[*from][*position].to);
        let told = |(from, position): (usize, usize)| {
            let Step { action, to, .. } = &self.steps[from][position];
            let told = self.model.tell(&self.states[from], action, &self.states[*to]);
            ToldStep { action: format!("{action:?}"), told }
        };
        Counterexample {
            lanes: self.model.lanes(),
            opening: self.model.opening(&self.states[first]),
            steps: way.into_iter().map(told).collect(),
            lasso_start: None,
            explanation: (property.explain)(self.model, &self.states[last]),
        }
    }

    /// Of all lassos that violate a property of liveness the least, or nothing; of safety, nothing.
    pub(crate) fn lasso(&self, check: &Check<M>) -> Option<Measure> {
        let (from, to): (&dyn Fn(usize) -> bool, OnState<M>) = match check {
            Check::LeadsTo { from, to } => (&|state| from(self.model, &self.states[state]), *to),
            Check::Eventually(to) => (&|state| self.origins[state].is_none(), *to),
            Check::Always { .. } | Check::AlwaysStep { .. } | Check::Sometimes(_) | Check::NoDeadlock => {
                return None;
            }
        };
        let may_enter: Vec<bool> = self.states.iter().map(|state| !to(self.model, state)).collect();
        let stems = self.pending(|state| from(state) && may_enter[state], &may_enter);
        let entries = (0..self.states.len()).filter(|state| stems[*state] < FAR);
        let round = |entry: usize| {
            self.round(entry, &may_enter).map(|round| (stems[entry] + round, round > 0, stems[entry]))
        };
        let least = entries.filter_map(round).min();
        if self.states.len() <= FEW {
            let pending = (0..self.states.len()).filter(|state| stems[*state] < FAR);
            let stays = self.stays(pending.fold(0, |set, state| set | 1 << state));
            assert_eq!(stays, least.is_some(), "histories and sets of states agree");
        }
        least
    }

    /// Steps to each state with an obligation pending, by way of a state where it begins, or `FAR`.
    fn pending(&self, begins: impl Fn(usize) -> bool, may_enter: &[bool]) -> Vec<usize> {
        let start = |state| if begins(state) { self.distance[state] } else { FAR };
        let mut stems: Vec<usize> = (0..self.states.len()).map(start).collect();
        loop {
            let before = stems.clone();
            for (from, step) in self.all_steps().filter(|(_, step)| may_enter[step.to]) {
                stems[step.to] = stems[step.to].min(stems[from] + 1);
            }
            if stems == before {
                return stems;
            }
        }
    }

    /// The steps of the shortest fair loop from a state, by all histories.
    fn round(&self, entry: usize, may_enter: &[bool]) -> Option<usize> {
        let enabled = self.enabled(entry);
        let first = History { here: entry, everywhere: enabled, somewhere: enabled, taken: 0 };
        let (mut seen, mut current) = (BTreeSet::from([first]), vec![first]);
        for steps in 0.. {
            if current.is_empty()
                || current.iter().any(|history| history.here == entry && self.is_fair(*history))
            {
                return (!current.is_empty()).then_some(steps);
            }
            let mut ahead = Vec::new();
            for history in current {
                for step in &self.steps[history.here] {
                    let next = self.after(history, step);
                    if step.to != history.here && may_enter[step.to] && seen.insert(next) {
                        ahead.push(next);
                    }
                }
            }
            current = ahead;
        }
        None
    }

    fn after(&self, before: History, step: &Step<M>) -> History {
        let enabled = self.enabled(step.to);
        History {
            here: step.to,
            everywhere: before.everywhere & enabled,
            somewhere: before.somewhere | enabled,
            taken: before.taken | step.fair,
        }
    }

    fn enabled(&self, state: usize) -> u32 {
        self.steps[state].iter().fold(0, |enabled, step| enabled | step.fair)
    }

    /// Whether a behaviour that repeats this for ever ignores no fair action.
    fn is_fair(&self, History { everywhere, somewhere, taken, .. }: History) -> bool {
        let ignored = (self.strong & somewhere | !self.strong & everywhere) & !taken;
        ignored & self.fair == 0
    }

    /// Whether a fair behaviour can stay for ever among these states, by all sets of states that it can visit again
    /// and again.
    fn stays(&self, among: u32) -> bool {
        let is_in = |set: u32, state: usize| set & 1 << state != 0;
        let is_connected = |set: u32| {
            let members = || (0..self.states.len()).filter(|state| is_in(set, *state));
            members().all(|from| {
                let mut seen = 1_u32 << from;
                for _ in 0..self.states.len() {
                    for (from, step) in self.all_steps() {
                        seen |= u32::from(is_in(seen, from) && is_in(set, step.to)) << step.to;
                    }
                }
                seen & set == set
            })
        };
        let is_fair = |set: u32| {
            let members = || (0..self.states.len()).filter(|state| is_in(set, *state));
            let within = self.all_steps().filter(|(from, step)| is_in(set, *from) && is_in(set, step.to));
            self.is_fair(History {
                here: 0,
                everywhere: members().fold(u32::MAX, |all, state| all & self.enabled(state)),
                somewhere: members().fold(0, |some, state| some | self.enabled(state)),
                taken: within.fold(0, |taken, (_, step)| taken | step.fair),
            })
        };
        (1..=among).any(|set| set & !among == 0 && is_connected(set) && is_fair(set))
    }

    fn all_steps(&self) -> impl Iterator<Item = (usize, &Step<M>)> {
        self.steps.iter().enumerate().flat_map(|(from, steps)| steps.iter().map(move |step| (from, step)))
    }
}

/// What a search with a limit on depth sees: the first states, and the steps between them.
struct View<'a, M: Model> {
    naive: &'a Naive<'a, M>,
    distinct: usize,
}

impl<M: Model> View<'_, M> {
    fn is_complete(&self) -> bool {
        self.distinct == self.naive.states.len()
    }

    fn states(&self) -> &[M::State] {
        &self.naive.states[..self.distinct]
    }

    /// From which state, by which of its steps.
    fn steps(&self) -> impl Iterator<Item = (usize, usize)> {
        let positions = |from: usize| (0..self.naive.steps[from].len()).map(move |position| (from, position));
        let steps = (0..self.distinct).flat_map(positions);
        steps.filter(|(from, position)| self.naive.steps[*from][*position].to < self.distinct)
    }

    fn on_step(&self, holds: OnStep<M>) -> impl Fn(&(usize, usize)) -> bool {
        move |(from, position)| {
            let Step { action, to, .. } = &self.naive.steps[*from][*position];
            holds(self.naive.model, &self.naive.states[*from], action, &self.naive.states[*to])
        }
    }

    fn first(&self, is_wanted: impl Fn(&M::State) -> bool) -> Option<usize> {
        self.states().iter().position(is_wanted)
    }

    fn coverage(&self) -> Coverage {
        let Naive { model, states, steps, .. } = self.naive;
        let (names, marks) = (model.kinds(), model.marks());
        let (mut of_kind, mut of_mark) = (vec![0; names.len()], vec![0; marks.len()]);
        for (from, position) in self.steps() {
            let Step { action, to, .. } = &steps[from][position];
            if !names.is_empty() {
                of_kind[model.kind(action)] += 1;
            }
            model.mark(&states[from], action, &states[*to], &mut |mark| of_mark[mark] += 1);
        }
        Coverage {
            kinds: names.into_iter().zip(of_kind).collect(),
            marks: marks.into_iter().zip(of_mark).collect(),
        }
    }

    /// The fair actions, if there is a property of liveness; whether they are ever enabled is known of all states alone.
    fn fairness(&self, only: &[&str]) -> Vec<FairAction> {
        let Naive { model, states, .. } = self.naive;
        let asks_for_liveness = |property: Property<M>| {
            matches!(property.check, Check::LeadsTo { .. } | Check::Eventually(_))
                && only.contains(&property.id)
        };
        if !model.properties().into_iter().any(asks_for_liveness) {
            return Vec::new();
        }
        let enabled =
            self.steps().fold(0, |bits, (from, position)| bits | self.naive.steps[from][position].fair);
        let is_enabled = |bit: u32| (self.distinct == states.len()).then_some(enabled & 1 << bit != 0);
        let action = |(bit, Fairness { name, strength, .. })| FairAction {
            name,
            strength,
            is_enabled: is_enabled(bit),
        };
        (0..).zip(model.fairness()).map(action).collect()
    }

    fn judge(&self, property: &Property<M>) -> PropertyReport {
        let (naive, model) = (self.naive, self.naive.model);
        let is_true = |holds: OnState<M>| move |state: &M::State| holds(model, state);
        let (violation, is_vacuous) = match property.check {
            Check::Always { holds, reachable } => {
                let first = self.first(|state| !holds(model, state));
                (first.map(|state| (state, None)), self.first(is_true(reachable)).is_none())
            }
            Check::AlwaysStep { holds, reachable } => {
                let first = self.steps().find(|step| !self.on_step(holds)(step));
                let is_reached = self.steps().any(|step| self.on_step(reachable)(&step));
                (first.map(|(state, step)| (state, Some(step))), !is_reached)
            }
            Check::NoDeadlock => {
                let stands = |state: &usize| naive.steps[*state].iter().all(|step| step.to == *state);
                let rests = |state: &usize| model.is_final(&naive.states[*state]);
                let first = (0..self.distinct).find(|state| stands(state) && !rests(state));
                (first.map(|state| (state, None)), false)
            }
            Check::Sometimes(holds) => {
                return entry(
                    property,
                    match (self.first(is_true(holds)), self.is_complete()) {
                        (Some(_), _) => Verdict::Holds,
                        (None, true) => Verdict::Violated,
                        (None, false) => Verdict::Incomplete,
                    },
                );
            }
            Check::LeadsTo { from, .. } => {
                return self.judge_liveness(property, self.first(is_true(from)).is_none());
            }
            Check::Eventually(_) => return self.judge_liveness(property, false),
        };
        let counterexample = violation.map(|(state, step)| naive.tell(property, state, step));
        let is_shortest = violation.is_some();
        PropertyReport {
            counterexample,
            is_shortest,
            ..entry(property, self.verdict(violation.is_some(), is_vacuous))
        }
    }

    fn judge_liveness(&self, property: &Property<M>, is_vacuous: bool) -> PropertyReport {
        let is_violated = self.is_complete() && self.naive.lasso(&property.check).is_some();
        entry(property, self.verdict(is_violated, is_vacuous))
    }

    fn verdict(&self, is_violated: bool, is_vacuous: bool) -> Verdict {
        match (is_violated, self.is_complete(), is_vacuous) {
            (true, _, _) => Verdict::Violated,
            (false, false, _) => Verdict::Incomplete,
            (false, true, true) => Verdict::Vacuous,
            (false, true, false) => Verdict::Holds,
        }
    }
}

fn entry<M: Model>(property: &Property<M>, verdict: Verdict) -> PropertyReport {
    let Property { id, name, check, .. } = property;
    let kind = check.into();
    PropertyReport { id, name, kind, verdict, undecided: None, counterexample: None, is_shortest: false }
}

/// How much a lasso is; nothing for a behaviour without a loop.
pub(crate) fn measure(counterexample: &Counterexample) -> Option<Measure> {
    let start = counterexample.lasso_start?;
    Some((counterexample.steps.len(), !counterexample.ends_in_stutter(), start))
}

/// A report without the counterexamples to liveness, each of which is a shortest one.
pub(crate) fn without_lassos(report: &Report) -> Report {
    let mut report = report.clone();
    for property in &mut report.properties {
        if property.counterexample.take_if(|found| found.lasso_start.is_some()).is_some() {
            assert!(std::mem::take(&mut property.is_shortest), "{} of a small graph", property.id);
        }
    }
    report
}
