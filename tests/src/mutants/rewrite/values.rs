//! Mutants of values: comparisons, arithmetic, constants, and the transition that an outcome carries.

use super::guards::{DECIDED_BY_CLOSURE, is_logical};
use super::{Operator, Rewriter, Tail, line, words};
use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::visit_mut;
use syn::{BinOp, Expr, ExprMethodCall, Ident, Lit, LitInt, UnOp};

/// Each order of two numbers, and the one that differs from it where they are equal.
const NEIGHBOURS: [(&str, &str); 4] = [("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")];

/// Each operation on numbers, and another one of the same type.
const CONTRARIES: [(&str, &str); 15] = [
    ("+", "-"),
    ("-", "+"),
    ("*", "+"),
    ("/", "*"),
    ("%", "/"),
    ("&", "|"),
    ("|", "&"),
    ("^", "|"),
    ("<<", ">>"),
    (">>", "<<"),
    ("+=", "-="),
    ("-=", "+="),
    ("&=", "|="),
    ("|=", "&="),
    ("^=", "|="),
];

/// Methods on numbers, and each other method that has the same type.
const CONTRARY_METHODS: [(&str, &str); 12] = [
    ("saturating_add", "saturating_sub"),
    ("saturating_sub", "saturating_add"),
    ("checked_add", "checked_sub"),
    ("checked_sub", "checked_add"),
    ("wrapping_add", "wrapping_sub"),
    ("wrapping_sub", "wrapping_add"),
    ("min", "max"),
    ("max", "min"),
    ("is_some", "is_none"),
    ("is_none", "is_some"),
    ("any", "all"),
    ("all", "any"),
];

impl Rewriter<'_> {
    pub(super) fn value(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Binary(binary) if is_logical(binary.op) || is_comparison(binary.op) => {
                self.condition(expression, &[true, false]);
            }
            Expr::Macro(call) if call.mac.path.is_ident("matches") => {
                self.condition(expression, &[true, false]);
            }
            Expr::Binary(_) => self.arithmetic(expression),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => self.negation(expression),
            Expr::Lit(_) => self.constant(expression),
            Expr::Call(call) if is_transition(&call.func) => self.transition(expression),
            _ => self.parts(expression),
        }
    }

    /// The parts of an expression that is not mutated itself, or is already.
    pub(super) fn parts(&mut self, expression: &mut Expr) {
        match expression {
            Expr::MethodCall(_) => self.method(expression),
            Expr::Repeat(repeated) => self.expression(&mut repeated.expr, Tail::Value),
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    /// `after` in the place of `code`, if the mutant runs.
    fn replace(
        &mut self,
        code: &mut Expr,
        operator: Operator,
        [before, words]: [&str; 2],
        after: &impl ToTokens,
        line: usize,
    ) {
        if let Some(number) = self.mutant(operator, line, before, words) {
            *code = Expr::Verbatim(quote!((if crate::mutant::is(#number) { #after } else { #code })));
        }
    }

    pub(super) fn comparison(&mut self, expression: &mut Expr) {
        self.operation(expression, Operator::Comparison, &NEIGHBOURS);
    }

    fn arithmetic(&mut self, expression: &mut Expr) {
        self.operation(expression, Operator::Arithmetic, &CONTRARIES);
    }

    fn operation(&mut self, expression: &mut Expr, operator: Operator, changes: &[(&str, &str)]) {
        let (line, before) = (line(expression), words(expression));
        visit_mut::visit_expr_mut(self, expression);
        let Expr::Binary(binary) = &*expression else { return };
        if let Some(op) = changed(binary.op, changes) {
            let mut after = binary.clone();
            after.op = op;
            let words = op.to_token_stream().to_string();
            self.replace(expression, operator, [&before, &words], &after, line);
        }
    }

    fn negation(&mut self, expression: &mut Expr) {
        if self.settled(expression).is_some() {
            return;
        }
        let (line, before) = (line(expression), words(expression));
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::Unary(unary) = &*expression {
            let after = unary.expr.clone();
            self.replace(expression, Operator::Negation, [&before, "without !"], &after, line);
        }
    }

    fn constant(&mut self, expression: &mut Expr) {
        let Expr::Lit(literal) = &*expression else { return };
        let line = line(expression);
        // A bare number says nothing.
        let around = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = format!("{} in {around}", words(expression));
        let after = match &literal.lit {
            Lit::Bool(value) => (!value.value).to_string(),
            Lit::Int(value) => match value.base10_parse::<u64>() {
                Ok(number) => format!("{}{}", number.wrapping_add(1), value.suffix()),
                Err(_) => return,
            },
            _ => return,
        };
        let changed = match &literal.lit {
            Lit::Bool(value) => Lit::Bool(syn::LitBool::new(!value.value, Span::call_site())),
            _ => Lit::Int(LitInt::new(&after, Span::call_site())),
        };
        self.replace(expression, Operator::Constant, [&before, &after], &changed, line);
    }

    /// A transition that is worked out, with all effects, and not made.
    fn transition(&mut self, expression: &mut Expr) {
        let (line, before) = (line(expression), words(expression));
        self.parts(expression);
        if let Expr::Call(call) = &*expression
            && let Some(next) = call.args.first()
        {
            let after = quote!({ let _ = #next; statig::Outcome::Handled });
            self.replace(expression, Operator::TransitionLost, [&before, "Handled"], &after, line);
        }
    }

    fn method(&mut self, expression: &mut Expr) {
        let (line, before) = (line(expression), words(expression));
        let Expr::MethodCall(call) = expression else { return };
        self.operands(call);
        let found = CONTRARY_METHODS.iter().find(|(name, _)| call.method == name);
        // On an iterator, `min` and `max` have no operand.
        if let Some((name, contrary)) = found
            && (call.args.len() == 1 || name.starts_with("is_"))
        {
            let mut after = call.clone();
            after.method = Ident::new(contrary, Span::call_site());
            let operator = if matches!(*name, "is_some" | "is_none" | "any" | "all") {
                Operator::Negation
            } else {
                Operator::Arithmetic
            };
            self.replace(expression, operator, [&before, contrary], &after, line);
        }
    }

    pub(super) fn operands(&mut self, call: &mut ExprMethodCall) {
        if call.method == "then" || call.method == "then_some" {
            self.condition(&mut call.receiver, &[true, false]);
        } else {
            self.expression(&mut call.receiver, Tail::Value);
        }
        let is_decision = DECIDED_BY_CLOSURE.iter().any(|name| call.method == name);
        for argument in &mut call.args {
            match argument {
                Expr::Closure(closure) if is_decision => self.closure(&mut closure.body, Tail::Condition),
                other => self.expression(other, Tail::Value),
            }
        }
    }
}

fn is_transition(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.segments.last().is_some_and(|name| name.ident == "Transition"))
}

pub(super) fn is_comparison(operator: BinOp) -> bool {
    matches!(operator, BinOp::Eq(_) | BinOp::Ne(_)) || changed(operator, &NEIGHBOURS).is_some()
}

pub(super) fn is_assignment(operator: BinOp) -> bool {
    operator.to_token_stream().to_string().ends_with('=') && !is_comparison(operator)
}

/// What `changes` has in the place of an operator.
fn changed(operator: BinOp, changes: &[(&str, &str)]) -> Option<BinOp> {
    let sign = operator.to_token_stream().to_string();
    let (_, other) = changes.iter().find(|(before, _)| *before == sign)?;
    syn::parse_str(other).ok()
}
