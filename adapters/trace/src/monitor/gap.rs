//! Something happened that the monitor was not told.

use super::Monitor;

impl Monitor {
    /// Here events are missing, nobody knows which.
    ///
    /// From here on no promise is *kept*: it is broken or *incomplete*. What is live is forgotten, as an end that was not told would make
    /// the next beginning look like a second one; what follows is judged as a trace that begins in the middle. What is certain stays:
    /// breaches so far, and which tasks have ended. The end of the trace decides nothing any more.
    pub fn gap(&mut self) {
        self.gaps += 1;
        self.lost = u32::MAX;
        let live: Vec<_> = self.tasks.drain().collect();
        for (name, task) in live {
            self.keep_calls(&name, task.recursion);
        }
        self.credentials.clear();
        self.agents.clear();
        self.ended.gap();
    }

    /// How often events were missing.
    pub fn gaps(&self) -> u64 {
        self.gaps
    }
}

#[cfg(test)]
mod tests {
    use crate::{Line, Monitor, Place, Property, Verdict};

    /// Judges lines; an empty one is a gap.
    fn judged(lines: &str) -> Monitor {
        let mut monitor = Monitor::default();
        for (number, line) in (1..).zip(lines.lines().map(str::trim)) {
            if line.is_empty() {
                monitor.gap();
                continue;
            }
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            let text = format!("{{\"event\":\"{kind}\",\"task\":1{rest}}}");
            let Ok(Line::Event(event, 0)) = Line::read(text.as_bytes()) else { panic!("{text}") };
            monitor.take(Place { line: number, ..Place::default() }, &event, text.as_bytes());
        }
        monitor
    }

    fn broken(monitor: &Monitor) -> Vec<&'static str> {
        let verdicts = monitor.verdicts(true);
        assert!(
            monitor.gaps() == 0 || !verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Kept(_)))
        );
        let is_broken = |verdict: &Verdict| matches!(verdict, Verdict::Broken(_));
        verdicts.iter().filter(|(_, verdict)| is_broken(verdict)).map(|(of, _)| of.id()).collect()
    }

    /// What stands before the gap would make what stands behind it a breach, if nothing had been missed.
    #[test]
    fn what_was_missed_makes_no_breach() {
        #[rustfmt::skip]
        let cases = [
            ("the end of a request", "S1", "request-started\nrequest-ended ,\"end\":\"completed\"\nrequest-started", "request-started"),
            ("a restart", "S2", "request-ended ,\"end\":\"completed\"\nrequest-started ,\"turn\":3", "request-started ,\"turn\":3"),
            ("the result of a call", "S8", "tool-call ,\"call\":7\ntool-result ,\"call\":7\ntool-call ,\"call\":8", "request-started"),
            ("a resume", "S13", "pause", "request-started"),
            ("an interrupt", "S12", "interrupt ,\"turn\":1\nrequest-started ,\"turn\":1\nrequest-ended ,\"turn\":1,\"end\":\"completed\"\ninterrupt ,\"turn\":1\nrequest-started ,\"turn\":2", "request-ended ,\"turn\":2,\"end\":\"stopped\""),
            ("a message that came back", "S5", "task-started\nmessage-queued ,\"message\":1\nmessage-queued ,\"message\":2", "message-delivered ,\"message\":2"),
            ("the end of the task", "L1", "task-started\ntask-ended ,\"end\":\"failed\"", "request-ended ,\"end\":\"failed\""),
        ];
        for (missed, property, before, after) in cases {
            let whole = judged(&format!("{before}\n{after}"));
            if property != "L1" {
                assert!(broken(&whole).contains(&property), "{missed}: {:?}", broken(&whole));
            }
            let with_gap = judged(&format!("{before}\n\n{after}"));
            assert_eq!(broken(&with_gap), Vec::<&str>::new(), "{missed}");
        }
    }

    #[test]
    fn what_is_certain_stays() {
        let lines = "request-started\nrequest-ended ,\"end\":\"failed\"\nrequest-started\nrequest-started\ntask-ended ,\"end\":\"failed\"\n\nrequest-started";
        assert_eq!(broken(&judged(lines)), ["S1", "S7"]);
        let monitor = judged("request-started\nrequest-ended ,\"end\":\"failed\"\n\n");
        let verdicts = monitor.verdicts(false);
        assert!(verdicts.contains(&(Property::S1, Verdict::Incomplete)));
    }
}
