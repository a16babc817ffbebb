//! Mutants of conditions.

use super::{Operator, Rewriter, Tail, line, values, words};
use quote::quote;
use syn::{BinOp, Expr, Lit, UnOp};

/// Methods that decide by what a closure says.
pub(super) const DECIDED_BY_CLOSURE: [&str; 14] = [
    "all",
    "any",
    "filter",
    "find",
    "is_none_or",
    "is_ok_and",
    "is_some_and",
    "is_sorted_by",
    "partition",
    "position",
    "retain",
    "skip_while",
    "take_if",
    "take_while",
];

impl Rewriter<'_> {
    /// The condition of a branch, which may take something apart with `let`.
    pub(super) fn decision(&mut self, condition: &mut Expr) {
        if has_let(condition) {
            self.chain(condition);
        } else {
            self.condition(condition, &[true, false]);
        }
    }

    /// The condition of a loop: one that is always true ends no loop, which shows nothing but the limit of time.
    pub(super) fn repetition(&mut self, condition: &mut Expr) {
        if has_let(condition) {
            self.chain(condition);
        } else {
            self.condition(condition, &[false]);
        }
    }

    /// A chain with a `let` can be made false as a whole, and nothing in it that binds can be made true.
    fn chain(&mut self, chain: &mut Expr) {
        let (line, before) = (line(chain), words(chain));
        self.inside(chain);
        if let Some(number) = self.mutant(Operator::AlwaysFalse, line, &before, "false") {
            let first = leftmost(chain);
            *first = Expr::Verbatim(quote!(!crate::mutant::is(#number) && #first));
        }
    }

    /// Makes a condition always what `always` has, and mutates what is in it.
    pub(super) fn condition(&mut self, condition: &mut Expr, always: &[bool]) {
        if self.settled(condition).is_some() {
            return;
        }
        match condition {
            Expr::Paren(inner) => self.condition(&mut inner.expr, always),
            Expr::Block(_) | Expr::If(_) | Expr::Match(_) => self.expression(condition, Tail::Condition),
            Expr::Let(binding) => self.expression(&mut binding.expr, Tail::Value),
            Expr::Lit(literal) => {
                if let Lit::Bool(value) = &literal.lit
                    && always.contains(&!value.value)
                {
                    let flipped = [!value.value];
                    self.always(condition, &flipped);
                }
            }
            Expr::Binary(binary) if is_logical(binary.op) => {
                let is_and = matches!(binary.op, BinOp::And(_));
                let mut open = Vec::new();
                self.open_operands(condition, is_and, &mut open);
                if let [only] = open.as_mut_slice() {
                    // The others are settled, so it decides alone.
                    let only: &mut Expr = only;
                    self.condition(only, always);
                } else {
                    self.always(condition, always);
                }
            }
            _ => self.always(condition, always),
        }
    }

    fn open_operands<'e>(&self, condition: &'e mut Expr, is_and: bool, into: &mut Vec<&'e mut Expr>) {
        if self.settled(condition).is_some() {
            return;
        }
        if !matches!(condition, Expr::Binary(binary) if is_chain(binary.op, is_and)) {
            into.push(condition);
        } else if let Expr::Binary(binary) = condition {
            self.open_operands(&mut binary.left, is_and, into);
            self.open_operands(&mut binary.right, is_and, into);
        }
    }

    fn always(&mut self, condition: &mut Expr, always: &[bool]) {
        let (line, before) = (line(condition), words(condition));
        self.inside(condition);
        if always.contains(&false)
            && let Some(number) = self.mutant(Operator::AlwaysFalse, line, &before, "false")
        {
            *condition = Expr::Verbatim(quote!((!crate::mutant::is(#number) && (#condition))));
        }
        if always.contains(&true)
            && let Some(number) = self.mutant(Operator::AlwaysTrue, line, &before, "true")
        {
            *condition = Expr::Verbatim(quote!((crate::mutant::is(#number) || #condition)));
        }
    }

    /// What is in a condition that is mutated as a whole. An operand is made what leaves the decision to the others: to make
    /// it the contrary decides the whole.
    fn inside(&mut self, condition: &mut Expr) {
        match condition {
            Expr::Paren(inner) => self.inside(&mut inner.expr),
            Expr::Let(binding) => self.expression(&mut binding.expr, Tail::Value),
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => self.inside(&mut not.expr),
            Expr::Binary(binary) if is_logical(binary.op) => {
                let is_and = matches!(binary.op, BinOp::And(_));
                for side in [&mut binary.left, &mut binary.right] {
                    if matches!(&**side, Expr::Binary(inner) if is_chain(inner.op, is_and)) {
                        self.inside(side);
                    } else {
                        self.condition(side, &[is_and]);
                    }
                }
            }
            Expr::Binary(binary) if values::is_comparison(binary.op) => self.comparison(condition),
            // To negate it is less than to make it always true or always false.
            Expr::MethodCall(call) => self.operands(call),
            _ => self.parts(condition),
        }
    }
}

pub(super) fn is_logical(operator: BinOp) -> bool {
    matches!(operator, BinOp::And(_) | BinOp::Or(_))
}

fn is_chain(operator: BinOp, is_and: bool) -> bool {
    is_logical(operator) && matches!(operator, BinOp::And(_)) == is_and
}

fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

fn leftmost(chain: &mut Expr) -> &mut Expr {
    if !matches!(chain, Expr::Binary(binary) if is_logical(binary.op)) {
        return chain;
    }
    let Expr::Binary(binary) = chain else { unreachable!("a chain is binary") };
    leftmost(&mut binary.left)
}
