//! The kernel's code with all of its mutants in it.
//!
//! Every mutation keeps the types, so that the copy compiles at once: a mutated place is the code before or the code
//! after, by a test of the mutant's number.

mod functions;
mod guards;
mod values;

use super::patterns::is_taken_up;
use super::planted::{Known, chooses_fault, settled};
use super::{Failure, Mutant, Mutation, Numbers, Operator};
use functions::last_name;
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use std::mem;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Expr, ExprIf, ExprMatch, ImplItemFn, Item, ItemFn, ItemImpl, Local, Macro, Pat,
    PathArguments, ReturnType, Stmt, Type,
};

/// How many letters of a piece of code name a mutation.
const WORDS_MAX: usize = 110;

/// How the names of functions begin that only assert.
const ASSERTION: &str = "assert_";

/// Rewrites one file of the kernel, whose path below `kernel/src` is `file`. Its mutants are numbered from `first`; those in
/// `left_out` have a number, and are not in the code.
///
/// # Errors
///
/// [`Failure::Syntax`] if `source` is not a file of Rust.
pub fn rewrite(
    file: &str,
    source: &str,
    first: u32,
    left_out: &Numbers,
) -> Result<(String, Vec<Mutant>), Failure> {
    let syntax = |error| Failure::Syntax { file: file.to_owned(), error };
    let mut code = syn::parse_file(source).map_err(syntax)?;
    let mut rewriter = Rewriter {
        file,
        lines: source.lines().map(str::trim).collect(),
        first,
        left_out,
        mutants: Vec::new(),
        counts: BTreeMap::new(),
        names: Vec::new(),
        returned: Tail::Value,
        known: Known::new(),
    };
    rewriter.visit_file_mut(&mut code);
    Ok((code.into_token_stream().to_string(), rewriter.mutants))
}

/// What the value of an expression is for, as far as its place shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing: it has none.
    Unit,
    /// To decide.
    Condition,
    /// Anything else.
    Value,
}

impl Tail {
    fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Unit,
            ReturnType::Type(_, returned) if last_name(returned).is_some_and(|name| name == "bool") => {
                Self::Condition
            }
            ReturnType::Type(..) => Self::Value,
        }
    }
}

struct Rewriter<'r> {
    file: &'r str,
    /// The lines of the file.
    lines: Vec<&'r str>,
    first: u32,
    left_out: &'r Numbers,
    mutants: Vec<Mutant>,
    /// How many mutations have the same words in the same function.
    counts: BTreeMap<[String; 3], u32>,
    /// The names around the place, outermost first.
    names: Vec<String>,
    /// What the function returns.
    returned: Tail,
    /// The conditions of the function that are settled in a kernel without faults.
    known: Known,
}

impl VisitMut for Rewriter<'_> {
    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Fn(function) => self.visit_item_fn_mut(function),
            Item::Impl(block) => self.visit_item_impl_mut(block),
            Item::Mod(module) if !is_conditional(&module.attrs) => {
                visit_mut::visit_item_mod_mut(self, module);
            }
            Item::Trait(of) => visit_mut::visit_item_trait_mut(self, of),
            // Data, and names.
            _ => {}
        }
    }

    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        if !is_conditional(&function.attrs) {
            self.function(&function.sig, &mut function.block);
        }
    }

    fn visit_item_impl_mut(&mut self, block: &mut ItemImpl) {
        let name = last_name(&block.self_ty).unwrap_or_default();
        self.names.push(name);
        // Nothing is decided by how something looks to who debugs it.
        let is_debug = block.trait_.as_ref().is_some_and(|(_, of, _)| words(of).ends_with("Debug"));
        if !is_conditional(&block.attrs) && !is_debug {
            visit_mut::visit_item_impl_mut(self, block);
        }
        self.names.pop();
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        if !is_conditional(&function.attrs) {
            self.function(&function.sig, &mut function.block);
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block, Tail::Value);
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        self.expression(expression, Tail::Value);
    }

    fn visit_macro_mut(&mut self, _: &mut Macro) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_path_arguments_mut(&mut self, _: &mut PathArguments) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
}

impl Rewriter<'_> {
    /// A new mutant; `None` if it is left out.
    fn mutant(&mut self, operator: Operator, line: usize, before: &str, after: &str) -> Option<u32> {
        let number = self.first + u32::try_from(self.mutants.len()).unwrap_or(u32::MAX);
        let function = self.names.join("::");
        let nth = self.counts.entry([function.clone(), before.to_owned(), after.to_owned()]).or_default();
        *nth += 1;
        let (file, before, after) = (self.file.to_owned(), before.to_owned(), after.to_owned());
        let mutation = Mutation { file, function, before, after, nth: *nth };
        self.mutants.push(Mutant { number, line, operator, mutation });
        (!self.left_out.contains(&number)).then_some(number)
    }

    fn settled(&self, condition: &Expr) -> Option<bool> {
        settled(condition, &self.known)
    }

    fn block(&mut self, block: &mut Block, tail: Tail) {
        let statements = mem::take(&mut block.stmts);
        let last = statements.len();
        for (index, statement) in (1..).zip(statements) {
            let tail = if index == last { tail } else { Tail::Unit };
            self.statement(statement, tail, &mut block.stmts);
        }
    }

    fn statement(&mut self, statement: Stmt, tail: Tail, into: &mut Vec<Stmt>) {
        match statement {
            Stmt::Local(local) => self.local(local, into),
            Stmt::Expr(mut expression, Some(end)) if is_effect(&expression) && self.changes(&expression) => {
                let (line, before) = (line(&expression), words(&expression));
                let operator = effect_operator(&expression);
                self.value(&mut expression);
                let kept = Stmt::Expr(expression, Some(end));
                into.push(self.removable(operator, line, &before, kept));
            }
            Stmt::Expr(mut expression, end) => {
                self.expression(&mut expression, if end.is_some() { Tail::Value } else { tail });
                into.push(Stmt::Expr(expression, end));
            }
            Stmt::Item(mut item) => {
                self.visit_item_mut(&mut item);
                into.push(Stmt::Item(item));
            }
            Stmt::Macro(kept) => into.push(Stmt::Macro(kept)),
        }
    }

    fn removable(&mut self, operator: Operator, line: usize, before: &str, kept: Stmt) -> Stmt {
        match self.mutant(operator, line, before, "") {
            Some(number) => {
                Stmt::Expr(Expr::Verbatim(quote!(if !crate::mutant::is(#number) { #kept })), None)
            }
            None => kept,
        }
    }

    /// Whether a statement does anything in a kernel without faults.
    fn changes(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Binary(binary) => self.settled(&binary.right).is_none(),
            _ => true,
        }
    }

    fn local(&mut self, mut local: Local, into: &mut Vec<Stmt>) {
        let (line, before) = (line(&local), words(&local));
        let Some(init) = &mut local.init else { return into.push(Stmt::Local(local)) };
        if let Pat::Ident(name) = &local.pat
            && let Some(value) = self.settled(&init.expr)
        {
            self.known.insert(name.ident.to_string(), value);
            return into.push(Stmt::Local(local));
        }
        self.expression(&mut init.expr, Tail::Value);
        if let Some((_, otherwise)) = &mut init.diverge {
            self.expression(otherwise, Tail::Value);
            if let Some(number) = self.mutant(Operator::ElseTaken, line, &before, "else") {
                let taken = quote!(if crate::mutant::is(#number) #otherwise);
                into.push(Stmt::Expr(Expr::Verbatim(taken), None));
            }
        }
        let is_effect = matches!(local.pat, Pat::Wild(_)) && is_effect(&init.expr);
        let kept = Stmt::Local(local);
        into.push(if is_effect {
            self.removable(Operator::StatementRemoved, line, &before, kept)
        } else {
            kept
        });
    }

    fn expression(&mut self, expression: &mut Expr, tail: Tail) {
        match expression {
            Expr::If(branch) => self.branch(branch, tail),
            Expr::Match(table) => self.table(table, tail),
            Expr::Block(block) => self.block(&mut block.block, tail),
            Expr::Paren(inner) if tail != Tail::Value => self.expression(&mut inner.expr, tail),
            Expr::While(repeated) => {
                self.repetition(&mut repeated.cond);
                self.block(&mut repeated.body, Tail::Unit);
            }
            Expr::ForLoop(repeated) => {
                self.expression(&mut repeated.expr, Tail::Value);
                self.block(&mut repeated.body, Tail::Unit);
            }
            Expr::Loop(repeated) => self.block(&mut repeated.body, Tail::Unit),
            Expr::Closure(closure) => self.closure(&mut closure.body, Tail::Value),
            Expr::Return(returned) => {
                let tail = self.returned;
                returned.expr.iter_mut().for_each(|value| self.expression(value, tail));
            }
            Expr::MethodCall(_) | Expr::Call(_) if tail == Tail::Unit || is_order(expression) => {
                self.effect(expression);
            }
            Expr::Assign(_) => self.effect(expression),
            _ if tail == Tail::Condition => self.condition(expression, &[true, false]),
            _ => self.value(expression),
        }
    }

    /// What a closure returns is not what the function returns.
    fn closure(&mut self, body: &mut Expr, tail: Tail) {
        let outer = mem::replace(&mut self.returned, tail);
        self.expression(body, tail);
        self.returned = outer;
    }

    /// The last expression of a block without a value.
    fn effect(&mut self, expression: &mut Expr) {
        let (line, before) = (line(expression), words(expression));
        let operator = effect_operator(expression);
        self.value(expression);
        if let Some(number) = self.mutant(operator, line, &before, "") {
            *expression = Expr::Verbatim(quote!(if !crate::mutant::is(#number) { #expression }));
        }
    }

    fn branch(&mut self, branch: &mut ExprIf, tail: Tail) {
        if chooses_fault(branch) {
            return;
        }
        let tail = if branch.else_branch.is_some() { tail } else { Tail::Unit };
        let settled = self.settled(&branch.cond);
        if settled.is_none() {
            self.decision(&mut branch.cond);
        }
        if settled != Some(false) {
            self.block(&mut branch.then_branch, tail);
        }
        if settled != Some(true)
            && let Some((_, otherwise)) = &mut branch.else_branch
        {
            self.expression(otherwise, tail);
        }
    }

    fn table(&mut self, table: &mut ExprMatch, tail: Tail) {
        self.expression(&mut table.expr, Tail::Value);
        let taken_up: Vec<bool> =
            (0..table.arms.len()).map(|index| is_taken_up(&table.arms, index)).collect();
        for (arm, taken_up) in table.arms.iter_mut().zip(taken_up) {
            let settled = arm.guard.as_ref().and_then(|(_, guard)| self.settled(guard));
            if settled == Some(false) {
                continue;
            }
            let (line, before) = (line(&arm.pat), words(&arm.pat));
            match &mut arm.guard {
                Some((_, guard)) => self.condition(guard, &[true, false]),
                None if taken_up => {
                    let number = self.mutant(Operator::ArmRemoved, line, &before, "");
                    arm.guard = number.map(|number| {
                        let guard = Expr::Verbatim(quote!(!crate::mutant::is(#number)));
                        (syn::token::If::default(), Box::new(guard))
                    });
                }
                None => {}
            }
            self.expression(&mut arm.body, tail);
        }
    }
}

/// Whether code is not part of every kernel.
fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

fn is_effect(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(call) => !call.method.to_string().starts_with(ASSERTION),
        Expr::Call(_) | Expr::Assign(_) => true,
        Expr::Try(question) => is_effect(&question.expr),
        Expr::Binary(binary) => values::is_assignment(binary.op),
        _ => false,
    }
}

/// Whether a call is known by its name to have no value.
fn is_order(call: &Expr) -> bool {
    match call {
        Expr::MethodCall(call) => call.method == "emit",
        Expr::Call(call) => words(&call.func) == "sink",
        _ => false,
    }
}

/// What a statement takes with it when it goes.
fn effect_operator(expression: &Expr) -> Operator {
    let is_state = match expression {
        Expr::Assign(assign) => match &*assign.left {
            Expr::Field(field) => matches!(&field.member, syn::Member::Named(name) if name == "state"),
            Expr::Unary(place) => words(&place.expr) == "state",
            _ => false,
        },
        _ => false,
    };
    if is_state { Operator::StateKept } else { Operator::StatementRemoved }
}

/// The words of the code in one line, without comments.
fn words(code: &impl Spanned) -> String {
    let source = code.span().source_text().unwrap_or_default();
    let lines = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let words = lines.collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

fn line(code: &impl Spanned) -> usize {
    code.span().start().line
}
