//! How much is read, and how much is told.

/// The longest file that is read, in bytes. A conversation of a thousand turns with a screenshot in each has about
/// a hundred million.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// How many messages of one file, or items of one list, are read. Each takes about a hundred bytes of memory beside
/// its texts, however short it is in the file; a person who is shown a message each second sees this many in twelve
/// days.
pub const MESSAGES_MAX: usize = 1 << 20;

/// How deep arrays and objects may stand in one another. It is the limit of the parser; the formats that are read
/// here have ten levels, and more only in what a tool was given.
pub const DEPTH_MAX: usize = 127;

/// How many findings of one task are told. What is left off is counted in `findings-left-off`, the least certain
/// first.
pub const FINDINGS_MAX: usize = 500;

/// How many findings of one kind and certainty the texts tell one by one. They say how many more there are: a fault
/// that repeats itself in each turn is understood from the first.
pub const SHOWN_MAX: usize = 5;

/// How many waits of one task are told. What is left off is counted in `waits-left-off`, the shortest first.
pub const WAITS_MAX: usize = 200;

/// How many kinds of unknown field and unknown message are counted by name. The rest is counted together.
pub const UNKNOWN_MAX: usize = 64;

/// The shortest wait for a person that is told by itself, in milliseconds. Shorter ones are counted.
pub const ASK_MS_MIN: i64 = 60_000;

/// How many letters and digits of a text have to be found again before it counts as found or as lost. A shorter text
/// may stand in another one by chance.
pub const LETTERS_MIN: usize = 12;

/// How many messages of a person, and how many results of subtasks, are looked for in a conversation. How many more
/// there are is said.
pub const SOUGHT_MAX: usize = 10_000;

/// How much of one of them is looked for, in bytes.
pub const SOUGHT_BYTES_MAX: usize = 256;

/// How many relatives of a task are read with it, where it is examined alone. How many more there are is said.
pub const RELATIVES_MAX: usize = 100;

/// How long after the end of a subtask something else has to have happened in the same storage before its parent
/// counts as forgotten, in milliseconds. The program writes both ends within the same second.
pub const LATER_MS: i64 = 60_000;

/// How many levels below a directory without tasks a storage directory is looked for, to name it.
pub const LEVELS_MAX: usize = 3;

/// How many directories are looked at for it.
pub const DIRECTORIES_MAX: usize = 10_000;

/// The longest piece of a file that is quoted, in characters.
pub const QUOTE_MAX: usize = 60;

/// The width that texts are set for, in characters.
pub const WIDTH: usize = 100;
