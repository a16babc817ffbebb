//! Mutants of functions as a whole.

use super::{ASSERTION, Operator, Rewriter, Tail};
use quote::{ToTokens, quote};
use std::mem;
use syn::spanned::Spanned;
use syn::{Block, Expr, ReturnType, Signature, Stmt, Type};

/// The types of numbers that the kernel counts in.
const NUMBERS: [&str; 5] = ["u8", "u16", "u32", "u64", "usize"];

impl Rewriter<'_> {
    pub(super) fn function(&mut self, signature: &Signature, body: &mut Block) {
        // Settings and assertions are not behaviour, and a constant function cannot read which mutant runs.
        let name = signature.ident.to_string();
        if signature.constness.is_some() || name == "default" || name.starts_with(ASSERTION) {
            return;
        }
        self.names.push(name);
        let outer = (self.returned, mem::take(&mut self.known));
        self.returned = Tail::of(&signature.output);
        let early = self.early_returns(signature, body);
        self.block(body, self.returned);
        body.stmts.splice(0..0, early);
        (self.returned, self.known) = outer;
        self.names.pop();
    }

    /// What a function may return without having done anything. One that does a single thing is mutated there.
    fn early_returns(&mut self, signature: &Signature, body: &Block) -> Vec<Stmt> {
        let is_single = match body.stmts.as_slice() {
            [] => true,
            [Stmt::Expr(only, _)] => {
                self.returned != Tail::Value && !matches!(only, Expr::If(_) | Expr::Match(_))
            }
            _ => false,
        };
        if is_single {
            return Vec::new();
        }
        let line = signature.span().start().line;
        let before = format!("fn {}", signature.ident);
        let settled = match body.stmts.last() {
            Some(Stmt::Expr(last, None)) => self.settled(last).map(|value| value.to_string()),
            _ => None,
        };
        let returned = early_values(&signature.output);
        let changed = returned.iter().filter(|value| settled.as_deref() != Some(**value));
        let early = changed.filter_map(|value| {
            let number = self.mutant(Operator::EarlyReturn, line, &before, &format!("return {value}"))?;
            let value: Expr = syn::parse_str(value).ok()?;
            let early = quote!(if crate::mutant::is(#number) { return #value; });
            Some(Stmt::Expr(Expr::Verbatim(early), None))
        });
        early.collect()
    }
}

pub(super) fn last_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// What can be returned instead of anything that is worked out, by the type alone.
fn early_values(output: &ReturnType) -> Vec<&'static str> {
    let ReturnType::Type(_, returned) = output else { return vec!["()"] };
    let words = returned.to_token_stream().to_string();
    match last_name(returned).as_deref() {
        Some("bool") => vec!["true", "false"],
        Some("Option") if NUMBERS.iter().any(|number| words == format!("Option < {number} >")) => {
            vec!["None", "Some(0)", "Some(1)"]
        }
        Some("Option") => vec!["None"],
        Some(number) if NUMBERS.contains(&number) => vec!["0", "1"],
        Some("Vec") => vec!["alloc::vec::Vec::new()"],
        Some("Result") if words.contains("Result < ()") || words.contains("fmt") => vec!["Ok(())"],
        Some("Reply") => vec!["crate::Outcome::Applied"],
        Some("Outcome") if words == "Outcome" || words.contains("Rejected") => {
            vec!["crate::Outcome::Applied"]
        }
        Some("Outcome") => vec!["statig::Outcome::Handled"],
        _ => Vec::new(),
    }
}
