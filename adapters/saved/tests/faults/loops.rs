//! Runs of one loop and of two, played with every misfortune that leaves files: what they show of S1.

use crate::{ask, request, say, turn};
use downbeat_saved::{Certainty, Examined, Files, Property, examine_bytes, text};
use serde_json::{Value, json};

/// Splitmix, so that the same runs are played each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What a run leaves, in the order in which it does.
#[derive(Default)]
struct Leaves {
    second: i64,
    turns: Vec<Value>,
    entries: Vec<Value>,
}

impl Leaves {
    fn of() -> Self {
        let mut files = Self::default();
        files.entries.push(say(0, "text", "Do it."));
        files.turns.push(turn(0, "user", &json!("Do it.")));
        files
    }

    fn now(&mut self) -> i64 {
        self.second += 1;
        self.second
    }

    fn begin(&mut self) {
        let now = self.now();
        self.entries.push(request(now));
    }

    fn fail(&mut self) {
        let now = self.now();
        self.entries.push(say(now, "api_req_started", "{\"cancelReason\":\"streaming_failed\"}"));
    }

    fn show(&mut self, random: &mut Random) {
        if random.below(3) > 0 {
            let now = self.now();
            self.entries.push(say(now, "text", "I am at it."));
        }
    }

    fn answer(&mut self, content: &str) {
        let now = self.now();
        self.turns.push(turn(now, "assistant", &json!(format!("{content} {now}"))));
    }

    fn go_on(&mut self) {
        let now = self.now();
        self.turns.push(turn(now, "user", &json!(format!("The result of {now}"))));
    }

    fn examined(&self) -> Examined {
        let (conversation, window) = (Value::from(self.turns.clone()), Value::from(self.entries.clone()));
        let (conversation, window) = (conversation.to_string(), window.to_string());
        let files = Files {
            conversation: Some(conversation.as_bytes()),
            window: Some(window.as_bytes()),
            item: None,
        };
        examine_bytes("task", &files).expect("JSON of the right shape")
    }
}

/// The certainty of what is found of S1.
fn worst(examined: &Examined) -> Option<Certainty> {
    let found = examined.findings.iter().filter(|finding| finding.property == Property::S1);
    found.map(|finding| finding.certainty).max()
}

/// One loop. Gives whether a request died and left no trace of it.
fn one_loop(random: &mut Random, files: &mut Leaves) -> bool {
    let mut left_no_trace = false;
    for _ in 0..=random.below(12) {
        match random.below(10) {
            0 => {
                files.fail();
                files.show(random);
                // What had come of it is saved, with the words that say so or without.
                match random.below(3) {
                    0 => files.turns.push(turn(
                        files.second,
                        "assistant",
                        &json!("I\n\n[Response interrupted by user]"),
                    )),
                    1 => files.answer("I was"),
                    _ => {}
                }
                files.go_on();
            }
            1 => {
                files.begin();
                files.show(random);
                let now = files.now();
                match random.below(3) {
                    0 => files.entries.push(say(now, "api_req_retry_delayed", "429")),
                    1 => files.entries.push(ask(now, "resume_task")),
                    _ => left_no_trace = true,
                }
            }
            _ => {
                files.begin();
                files.show(random);
                files.answer("I did");
                files.go_on();
            }
        }
    }
    left_no_trace
}

#[test]
fn one_loop_is_never_proven_to_be_two() {
    let (mut nothing, mut suspicious, mut cut) = (0, 0, 0);
    for seed in 0..4000 {
        let random = &mut Random(seed);
        let mut files = Leaves::of();
        let left_no_trace = one_loop(random, &mut files);
        // The earliest truncation leaves no mark.
        let is_cut = random.below(4) == 0 && files.turns.len() > 4;
        if is_cut {
            let pairs = 1 + random.below(files.turns.len() as u64 / 4);
            files.turns.drain(1..=usize::try_from(2 * pairs).expect("a few"));
            cut += 1;
        }
        let examined = files.examined();
        let worst = worst(&examined);
        assert_ne!(worst, Some(Certainty::Proven), "seed {seed}\n{}", text(&examined));
        if worst == Some(Certainty::Suspicious) {
            suspicious += 1;
        } else {
            nothing += 1;
        }
        if !left_no_trace && !is_cut && !has_left_over(&files) {
            assert!(worst < Some(Certainty::Suspicious), "seed {seed}\n{}", text(&examined));
        }
    }
    assert!(nothing > 1000 && suspicious > 100 && cut > 500, "{nothing}, {suspicious}, {cut}");
}

/// Whether two messages of the model stand in a row, or one that was interrupted looks as if it were said.
fn has_left_over(files: &Leaves) -> bool {
    files.turns.iter().any(|turn| turn["content"].as_str().is_some_and(|text| text.starts_with("I was")))
}

/// Two loops, each of which waits for its own response and its own tools. Whatever comes in between, that there were
/// two shows as soon as both have stopped.
#[test]
fn two_loops_are_proven_when_both_have_stopped() {
    let mut alternated = 0;
    for seed in 0..4000 {
        let random = &mut Random(seed);
        let mut files = Leaves::of();
        for _ in 0..=random.below(3) {
            files.begin();
            files.show(random);
            files.answer("I did");
            files.go_on();
        }
        // How many responses each loop still gets, and whether it waits for one.
        let mut loops = [(1 + random.below(4), true), (1 + random.below(4), true)];
        files.begin();
        files.show(random);
        files.begin();
        while loops.iter().any(|(left, _)| *left > 0) {
            let which = usize::try_from(random.below(2)).expect("one of two");
            let (left, waits) = &mut loops[which];
            if *left == 0 {
                continue;
            }
            if *waits {
                files.answer("I did");
                *left -= 1;
                // A loop may be stopped when its last tool has its result.
                if *left > 0 || random.below(2) == 0 {
                    files.go_on();
                }
            } else {
                files.begin();
                files.show(random);
            }
            *waits = !*waits;
        }
        let examined = files.examined();
        assert_eq!(worst(&examined), Some(Certainty::Proven), "seed {seed}\n{}", text(&examined));
        alternated += u32::from(
            !files
                .turns
                .windows(2)
                .any(|pair| pair[0]["role"] == "assistant" && pair[1]["role"] == "assistant"),
        );
    }
    // Where none stands beside another of the model, only the requests show it.
    assert!(alternated > 100, "{alternated}");
}
