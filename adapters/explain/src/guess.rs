//! What the model may have said: no trace has it, so it is guessed from what follows.

use downbeat_kernel::{Approval, Call, Response, SendFailure, TaskId};
use downbeat_trace::Kind;

use crate::log::{Hint, Vocabulary};
use crate::system::System;

/// How a send may have failed, as far as that makes a difference.
pub(crate) const FAILURES: [SendFailure; 4] = [
    SendFailure::Transient,
    SendFailure::Interrupted,
    SendFailure::Invalid,
    SendFailure::Throttled { retry_after_ms: None },
];

/// What the model may have said, given what follows; the likeliest first.
pub(crate) fn responses(system: &System, hint: Hint, said: Vocabulary) -> Vec<Response> {
    let Hint { calls, ran, results, subtasks: (least, most), questions, completes } = hint;
    let mut shapes: Vec<(usize, usize, usize)> = Vec::new();
    for subtasks in least..=most {
        let mut add = |tools: Option<usize>, questions: usize| {
            if let Some(tools) = tools
                && !shapes.contains(&(tools, subtasks, questions))
            {
                shapes.push((tools, subtasks, questions));
            }
        };
        if said.has(Kind::ToolCall) {
            // Subtasks and questions are calls of tools in some systems, and none in others.
            for others in [0, subtasks, questions, subtasks + questions] {
                add(calls.checked_sub(others), questions);
            }
            if questions > 0 {
                // A person may have been asked whether a tool may run.
                add(Some(calls), 0);
                add(calls.checked_sub(subtasks), 0);
            }
        } else {
            let few = usize::from(ran + questions + subtasks == 0 && !completes);
            for tools in [ran, few, 1 - few, ran + 1] {
                add(Some(tools), questions);
            }
            for others in [0, subtasks, questions, subtasks + questions] {
                add(results.checked_sub(others), questions);
                add(results.checked_sub(others), 0);
            }
            add(Some(ran.max(1)), 0);
        }
    }
    if said.has(Kind::ToolStarted) {
        // As many tools as are seen to run, rather than others.
        shapes.sort_by_key(|(tools, ..)| tools.abs_diff(ran));
    }
    let mut responses = Vec::new();
    let mut say = |response: Response| {
        if !responses.contains(&response) {
            responses.push(response);
        }
    };
    if completes {
        for approval in [Approval::Granted, Approval::Required] {
            say(Response::Calls(vec![Call::Completion(approval)]));
        }
    }
    let mut shape = |(tools, subtasks, own): (usize, usize, usize), required: usize| {
        if tools + subtasks + own > 0 {
            let ids = (system.fresh().0..).map(|id| Call::Subtask { child: TaskId(id) });
            let rest = ids.take(subtasks).chain(std::iter::repeat_n(Call::Question, own));
            // A person may have been asked whether a tool may run: about the last of them, if only some ran.
            let is_asked = |n: usize| n + required >= tools;
            let tool = |n| Call::Tool(if is_asked(n) { Approval::Required } else { Approval::Granted });
            say(Response::Calls((0..tools).map(tool).chain(rest).collect()));
        }
    };
    if said.has(Kind::Question) {
        for (tools, subtasks, own) in shapes {
            for required in [0, questions.saturating_sub(own).min(tools)] {
                shape((tools, subtasks, own), required);
            }
        }
    } else {
        for simple in &shapes {
            shape(*simple, 0);
        }
        // Of what nobody writes down there may be one, or none. But a tool about which somebody is asked looks no different from one that
        // takes its time, unless one is seen to run and the other is not, or the answer is seen.
        for (tools, subtasks, own) in shapes {
            for own in own..=own + 1 {
                shape((tools, subtasks, own), 0);
                if said.has(Kind::ToolStarted) {
                    shape((tools, subtasks, own), tools.saturating_sub(ran));
                }
                if said.has(Kind::Answer) {
                    shape((tools, subtasks, own), tools);
                    shape((tools, subtasks, own), tools.min(1));
                }
            }
        }
    }
    if calls > 1 {
        // A completion is refused that is not alone.
        let tools = std::iter::repeat_n(Call::Tool(Approval::Granted), calls - 1);
        say(Response::Calls(tools.chain([Call::Completion(Approval::Granted)]).collect()));
    }
    if calls + ran + least == 0 {
        say(Response::Text);
        say(Response::Empty);
        say(Response::Calls(vec![Call::Completion(Approval::Granted)]));
        say(Response::Calls(vec![Call::Completion(Approval::Required)]));
    }
    responses
}

/// What the model may have said of which nobody has written down anything: one thing.
pub(crate) fn simple(system: &System) -> Vec<Response> {
    let calls = [
        Call::Tool(Approval::Granted),
        Call::Subtask { child: system.fresh() },
        Call::Question,
        Call::Completion(Approval::Granted),
        Call::Completion(Approval::Required),
    ];
    calls.into_iter().map(|call| Response::Calls(vec![call])).chain([Response::Text]).collect()
}
