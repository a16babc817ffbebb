//! The copy of the kernel that has all mutants in it, and its build.

use super::{Failure, Mutant, Numbers, rewrite};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprBinary, ExprIf};

/// Where the files of a workspace lie.
#[derive(Clone, Debug)]
pub struct Places {
    /// The workspace whose kernel is mutated.
    pub workspace: PathBuf,
    /// A folder for the copy, its build and what the runs leave.
    pub copy: PathBuf,
}

impl Places {
    /// The workspace that this program was built from; the copy is in its folder for build results.
    pub fn of_this_workspace() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = tests.parent().unwrap_or(tests).to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        Self { workspace, copy: target.join("mutants") }
    }

    fn kernel(&self) -> PathBuf {
        self.copy.join("kernel")
    }
}

/// One file of the kernel.
struct Source {
    /// Its path below `kernel/src`, with `/`.
    name: String,
    text: String,
}

/// What was read from a workspace.
pub struct Enumerated {
    sources: Vec<Source>,
    /// Every mutant there is, in the order of the files.
    pub mutants: Vec<Mutant>,
}

/// The test programs of a copy that was built.
pub struct Built {
    /// The programs.
    pub programs: Vec<PathBuf>,
    /// The mutants that the compiler refused; they are not in the programs.
    pub refused: Numbers,
}

/// Not mutated: the tests' own second implementation, and the faults that tests plant.
fn is_left_alone(name: &str) -> bool {
    name == "oracle.rs" || name.starts_with("oracle/") || name == "faults.rs"
}

/// Reads the kernel of a workspace and finds every mutant of it.
///
/// # Errors
///
/// [`Failure::Io`] and [`Failure::Syntax`], for a file that cannot be read.
pub fn enumerate(places: &Places) -> Result<Enumerated, Failure> {
    let root = places.workspace.join("kernel/src");
    let mut sources = Vec::new();
    for path in files(&root)? {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if !is_left_alone(&name) {
            sources.push(Source { name, text: read(&path)? });
        }
    }
    let mut mutants: Vec<Mutant> = Vec::new();
    for source in &sources {
        let first = next_number(&mutants);
        mutants.extend(rewrite(&source.name, &source.text, first, &Numbers::new())?.1);
    }
    Ok(Enumerated { sources, mutants })
}

fn next_number(mutants: &[Mutant]) -> u32 {
    mutants.last().map_or(1, |last| last.number + 1)
}

/// Writes the copy and builds its tests. A mutant that does not compile is left out.
///
/// # Errors
///
/// [`Failure::Io`], and [`Failure::Build`] if the copy does not build without its mutants either.
pub fn build(places: &Places, enumerated: &Enumerated) -> Result<Built, Failure> {
    write_surroundings(places)?;
    let mut refused = Numbers::new();
    loop {
        write_sources(places, enumerated, &refused)?;
        let (messages, complaints) = compile(places)?;
        let errors: Vec<&Value> = messages.iter().filter(|message| is_error(message)).collect();
        let programs = programs(&messages);
        if errors.is_empty() && !programs.is_empty() {
            return Ok(Built { programs, refused });
        }
        let blamed: Numbers =
            errors.iter().flat_map(|error| spans(error)).filter_map(|span| culprit(places, &span)).collect();
        if blamed.is_subset(&refused) {
            // The whole file is in one line: only the words of the errors can be read.
            let said = errors.iter().filter_map(|error| error["message"]["message"].as_str());
            let said: Vec<&str> = said.chain([complaints.as_str()]).collect();
            return Err(Failure::Build { messages: said.join("\n") });
        }
        refused.extend(blamed);
    }
}

/// Everything but the sources: the package beside them, a workspace of its own, and the pages that tests compare.
fn write_surroundings(places: &Places) -> Result<(), Failure> {
    for folder in ["kernel", "docs"] {
        let from = places.workspace.join(folder);
        for path in files(&from)? {
            let name = path.strip_prefix(&from).unwrap_or(&path);
            if !name.starts_with("src") || is_left_alone(&name.to_string_lossy().replace("src/", "")) {
                write(&places.copy.join(folder).join(name), &read(&path)?)?;
            }
        }
    }
    let manifest = read(&places.workspace.join("Cargo.toml"))?;
    let lines = manifest.lines().filter(|line| !line.starts_with("default-members"));
    let lines = lines.map(|line| if line.starts_with("members") { "members = [\"kernel\"]" } else { line });
    let mut manifest = lines.collect::<Vec<_>>().join("\n");
    // The random lives spend much of their time in what makes them.
    manifest.push_str("\n\n[profile.dev.package.\"*\"]\nopt-level = 2\n");
    write(&places.copy.join("Cargo.toml"), &manifest)?;
    write(&places.copy.join("Cargo.lock"), &read(&places.workspace.join("Cargo.lock"))?)
}

fn write_sources(places: &Places, enumerated: &Enumerated, refused: &Numbers) -> Result<(), Failure> {
    let root = places.kernel().join("src");
    let mut first = 1;
    for Source { name, text } in &enumerated.sources {
        let (mut code, mutants) = rewrite(name, text, first, refused)?;
        first += u32::try_from(mutants.len()).unwrap_or(u32::MAX);
        if name == "lib.rs" {
            code.push_str("\n#[doc(hidden)] pub mod mutant;\n");
        }
        write(&root.join(name), &code)?;
    }
    let switch = include_str!("mutant.rs.in").replace("COUNT_OF_MUTANTS", &first.to_string());
    write(&root.join("mutant.rs"), &switch)
}

/// What cargo says while it builds the tests: message by message for machines, and as a text.
fn compile(places: &Places) -> Result<(Vec<Value>, String), Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--package", "downbeat-kernel", "--lib", "--tests", "--no-run"]);
    command.args(["--message-format", "json", "--quiet"]);
    command.current_dir(&places.copy).env("CARGO_TARGET_DIR", places.copy.join("target"));
    let output = command.output().map_err(Failure::of("cargo"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ok((messages, String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn is_error(message: &Value) -> bool {
    message["reason"] == "compiler-message"
        && message["message"]["level"] == "error"
        && message["message"]["spans"].as_array().is_some_and(|spans| !spans.is_empty())
}

fn programs(messages: &[Value]) -> Vec<PathBuf> {
    let executables = messages.iter().filter_map(|message| message["executable"].as_str());
    executables.map(PathBuf::from).collect()
}

/// A place in a file of the copy, in bytes.
struct Span {
    file: PathBuf,
    start: usize,
    end: usize,
}

/// Where the compiler sees the error.
fn spans(error: &Value) -> Vec<Span> {
    let spans = error["message"]["spans"].as_array().into_iter().flatten();
    let place = |of: &Value| usize::try_from(of.as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let primary = spans.filter(|span| span["is_primary"] == true);
    let span = |span: &Value| Span {
        file: PathBuf::from(span["file_name"].as_str().unwrap_or_default()),
        start: place(&span["byte_start"]),
        end: place(&span["byte_end"]),
    };
    primary.map(span).collect()
}

/// The innermost mutant around a place.
fn culprit(places: &Places, span: &Span) -> Option<u32> {
    let text = fs::read_to_string(places.copy.join(&span.file)).ok()?;
    let mut search = Search { span, found: None };
    search.visit_file(&syn::parse_file(&text).ok()?);
    search.found.map(|(_, number)| number)
}

struct Search<'s> {
    span: &'s Span,
    /// The narrowest place so far, and its mutant.
    found: Option<(usize, u32)>,
}

impl Search<'_> {
    fn consider(&mut self, place: &impl Spanned, condition: &Expr) {
        let range = place.span().byte_range();
        let around = range.start <= self.span.start && self.span.end <= range.end;
        if let Some(number) = number_in(condition)
            && around
            && self.found.is_none_or(|(width, _)| range.len() < width)
        {
            self.found = Some((range.len(), number));
        }
    }
}

impl<'c> Visit<'c> for Search<'_> {
    fn visit_expr_if(&mut self, branch: &'c ExprIf) {
        self.consider(branch, &branch.cond);
        visit::visit_expr_if(self, branch);
    }

    fn visit_expr_binary(&mut self, binary: &'c ExprBinary) {
        self.consider(binary, &binary.left);
        visit::visit_expr_binary(self, binary);
    }
}

/// The number that a condition asks for, if it asks for one.
fn number_in(condition: &Expr) -> Option<u32> {
    match condition {
        Expr::Unary(not) => number_in(&not.expr),
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let is_switch = function.path.segments.iter().any(|segment| segment.ident == "mutant");
            match call.args.first() {
                Some(Expr::Lit(literal)) if is_switch => match &literal.lit {
                    syn::Lit::Int(number) => number.base10_parse().ok(),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// Every file below a folder, in the order of their paths.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(Failure::of(folder.display().to_string()))?;
    for entry in entries {
        let path = entry.map_err(Failure::of(folder.display().to_string()))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::of(path.display().to_string()))
}

/// Writes a file, unless it is so already: what does not change is not built again.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(Failure::of(folder.display().to_string()))?;
    fs::write(path, text).map_err(Failure::of(path.display().to_string()))
}
