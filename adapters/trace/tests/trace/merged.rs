//! Several traces as one: their order, and what is done where there is none.

use downbeat_trace::{AHEAD_MAX, LINE_MAX, Merged, Read};
use proptest::prelude::*;

/// What comes of these files: the task of each event, and the errors on the way.
fn merged_of(files: &[String]) -> (Vec<String>, Vec<String>) {
    let mut merged = Merged::new(files.iter().map(String::as_bytes));
    let (mut tasks, mut errors) = (Vec::new(), Vec::new());
    loop {
        match merged.read() {
            Ok(Read::Event { event, place, text }) => {
                let file = &files[place.file as usize - 1];
                let line = (1_u64..).zip(file.lines()).find(|(number, _)| *number == place.line);
                assert_eq!(line.map(|(_, line)| line.as_bytes()), Some(text));
                tasks.push(event.said().map(|(_, name)| name.to_string()).collect());
            }
            Ok(Read::Other) => {}
            Ok(Read::Pending) => break,
            Err(why) => {
                let is_cut = why.is_cut();
                errors.push(why.to_string());
                if !is_cut {
                    break;
                }
            }
        }
    }
    (tasks, errors)
}

fn line(task: u64, at_ms: u64) -> String {
    format!("{{\"event\":\"pause\",\"task\":{task},\"at_ms\":{at_ms}}}\n")
}

fn untimed(task: u64) -> String {
    format!("{{\"event\":\"pause\",\"task\":{task}}}\n")
}

proptest! {
    /// However the lines of a trace are dealt out, and however they stand in the files, as long as that is not too far from their order.
    #[test]
    fn lines_come_in_the_order_of_their_times(
        dealt in prop::collection::vec((0_usize..4, 0_u64..9), 0..200),
    ) {
        let mut files = vec![Vec::new(); 4];
        for (task, (file, late)) in (0_u64..).zip(&dealt) {
            files[*file].push((task + late, task));
        }
        let files: Vec<String> = files
            .into_iter()
            .map(|mut lines| {
                lines.sort_unstable();
                lines.into_iter().map(|(_, task)| line(task, 10 * task)).collect()
            })
            .collect();
        let (tasks, errors) = merged_of(&files);
        let expected: Vec<_> = (0..dealt.len()).map(|task| task.to_string()).collect();
        prop_assert_eq!((tasks, errors), (expected, Vec::new()));
    }
}

#[test]
fn order_is_that_of_the_files_where_times_do_not_tell() {
    let one = [line(1, 5), untimed(2), line(3, 5), line(4, 6)].concat();
    let other = [line(10, 4), line(11, 5), untimed(12)].concat();
    let (tasks, errors) = merged_of(&[one, other]);
    assert_eq!((tasks.join(" ").as_str(), errors), ("10 1 2 3 11 12 4", Vec::new()));
}

#[test]
fn no_line_is_lost_and_none_is_put_anywhere() {
    let early = |lines: usize| {
        let later: String = (0..lines).map(|at| line(at as u64, 100)).collect();
        format!("{later}{}", line(7, 1))
    };
    let (tasks, errors) = merged_of(&[early(AHEAD_MAX - 1)]);
    assert_eq!((tasks.len(), tasks[0].as_str(), errors), (AHEAD_MAX, "7", Vec::new()));
    let cases = [
        (vec![early(AHEAD_MAX)], 1, "its time belongs more than 4096 lines further up"),
        (vec![line(1, 1), untimed(2)], 0, "file 2, line 1, byte 0: it has no time (`at_ms`)"),
        // What happened before a line that cannot be read is told first, and nothing of what came after.
        (
            vec![format!("{}hello\n", line(1, 5)), [line(2, 4), line(3, 6)].concat()],
            2,
            "file 1, line 2, column 1",
        ),
        (vec![format!("{}{}", line(1, 5), "x".repeat(LINE_MAX + 1)), line(2, 4)], 2, "a line has at most"),
    ];
    for (files, given, words) in cases {
        let (tasks, errors) = merged_of(&files);
        assert_eq!(tasks.len(), given, "{words}: {errors:?}");
        assert!(errors.len() == 1 && errors[0].contains(words), "no {words:?} in {errors:?}");
    }
}

#[test]
fn file_that_is_cut_says_where_and_the_others_go_on() {
    let whole = [line(1, 5), line(2, 9)].concat();
    let files = [whole[..whole.len() - 5].to_owned(), [line(3, 4), line(4, 6)].concat()];
    let (tasks, errors) = merged_of(&files);
    assert_eq!(tasks.join(" "), "3 1 4");
    assert!(errors.len() == 1 && errors[0].starts_with("file 1, line 2"), "{errors:?}");
    let mut merged = Merged::new([&b"{\"event\""[..]]);
    let why = merged.read().expect_err("it is cut off");
    assert!(why.is_cut() && why.place().file == 1, "{why}");
    assert!(matches!(merged.read(), Ok(Read::Pending)));
    // A line with an end is whole, and what it lacks was never there.
    let torn = format!("{}{{\"event\":\n{}", line(1, 5), line(2, 9));
    let (tasks, errors) = merged_of(&[torn, line(3, 7)]);
    assert_eq!(tasks, ["1"]);
    assert!(errors.len() == 1 && errors[0].starts_with("file 1, line 2, column 9"), "{errors:?}");
}
