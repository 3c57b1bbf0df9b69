"""The template families. Each is a generator of edits for one site; the tuple is the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from processors.repair.ingredients import Site
from processors.repair.source import Edit
from processors.repair.templates import (
    calls,
    crashes,
    donors,
    habits,
    operators,
    shapes,
    statements,
    values,
)

Template = Callable[[Site], Iterator[Edit]]

ALL: tuple[Template, ...] = (
    crashes.unbound_name,
    crashes.missing_value,
    crashes.missing_key,
    crashes.empty_collection,
    crashes.division_by_zero,
    calls.wrong_keyword,
    calls.missing_argument,
    calls.wrong_attribute,
    calls.missing_self,
    calls.missing_await,
    calls.cast,
    statements.mutable_default,
    statements.dropped_result,
    statements.missing_return,
    statements.early_exit,
    statements.assigned_target,
    statements.copy_before_change,
    statements.comprehension_filter,
    statements.inserted_assignment,
    statements.inserted_call,
    operators.compare_operator,
    operators.arithmetic_operator,
    operators.assignment_operator,
    shapes.missing_operand,
    operators.logic_operator,
    operators.operand_swap,
    values.off_by_one,
    values.variable,
    values.constant,
    values.attribute,
    values.twin_function,
    shapes.argument_swap,
    shapes.slices,
    shapes.hoist,
    shapes.wrap,
    shapes.square,
    shapes.guard_condition,
    shapes.return_value,
    shapes.other_expression,
    habits.pattern,
    habits.encoding,
    habits.normalised_text,
    habits.ordering,
    habits.rounding,
    habits.validation,
    habits.closed_file,
    donors.donor,
)
