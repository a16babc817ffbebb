//! Conditions that only a planted fault makes true.
//!
//! The mutants run in a kernel without faults, as it ships. A mutation of such a condition is the fault itself, which
//! `tests/planted_faults.rs` is about, or changes nothing.

use std::collections::BTreeMap;
use syn::{BinOp, Expr, ExprIf, Stmt, UnOp};

/// The names of conditions of a function that are settled.
pub(super) type Known = BTreeMap<String, bool>;

/// What a condition is in a kernel without faults, where its words and what is `known` decide that.
pub(super) fn settled(condition: &Expr, known: &Known) -> Option<bool> {
    match condition {
        Expr::MethodCall(call) if call.method == "has" || call.method == "has_fault" => Some(false),
        Expr::Path(path) => path.path.get_ident().and_then(|name| known.get(&name.to_string()).copied()),
        Expr::Paren(inner) => settled(&inner.expr, known),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
            settled(&unary.expr, known).map(|value| !value)
        }
        Expr::Binary(binary) => {
            let sides = [settled(&binary.left, known), settled(&binary.right, known)];
            match binary.op {
                BinOp::And(_) => joined(sides, false),
                BinOp::Or(_) => joined(sides, true),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a branch only chooses which fault is asked for.
pub(super) fn chooses_fault(branch: &ExprIf) -> bool {
    match branch.then_branch.stmts.as_slice() {
        [Stmt::Expr(Expr::Path(path), None)] => {
            path.path.segments.first().is_some_and(|name| name.ident == "Fault")
        }
        _ => false,
    }
}

/// One side that is `absorbing` settles both.
fn joined(sides: [Option<bool>; 2], absorbing: bool) -> Option<bool> {
    if sides.contains(&Some(absorbing)) {
        Some(absorbing)
    } else if sides == [Some(!absorbing); 2] {
        Some(!absorbing)
    } else {
        None
    }
}
