"""Assets of a stage, of which any can be selected, although the stage always writes all of them together."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ParamSpec

import dagster as dg

StageResult = dg.MaterializeResult[None] | dg.AssetCheckResult
P = ParamSpec("P")


def stage_assets(
    name: str, specs: Sequence[dg.AssetSpec], check_specs: Sequence[dg.AssetCheckSpec] = ()
) -> Callable[[Callable[P, Iterable[StageResult]]], dg.AssetsDefinition]:
    """Decorator of a function that writes the tables of ``specs`` and yields a result for each.

    Tables that are not selected are written too, and recorded as materialized: they must fit those that are.
    """

    def decorate(function: Callable[P, Iterable[StageResult]]) -> dg.AssetsDefinition:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> Iterator[StageResult]:
            yield from _report(dg.AssetExecutionContext.get(), specs, function(*args, **kwargs))

        return dg.multi_asset(name=name, specs=specs, check_specs=check_specs, can_subset=True)(run)

    return decorate


def _report(
    context: dg.AssetExecutionContext, specs: Sequence[dg.AssetSpec], results: Iterable[StageResult]
) -> Iterator[StageResult]:
    """The results of what is selected; other tables are logged as materialized.

    Raises Failure if a table has no result: Dagster would skip everything downstream, as if nothing were new.
    """
    missing = {spec.key for spec in specs if not spec.skippable}
    for result in results:
        if isinstance(result, dg.AssetCheckResult):
            if dg.AssetCheckKey(_key(result), str(result.check_name)) in context.selected_asset_check_keys:
                yield result
            continue
        missing.discard(_key(result))
        if _key(result) in context.selected_asset_keys:
            yield result
        else:
            context.log_event(dg.AssetMaterialization(_key(result), metadata=result.metadata))
    if missing:
        names = ", ".join(sorted(key.to_user_string() for key in missing))
        raise dg.Failure(f"The stage {context.op_handle.name} ended without a result for {names}.")


def _key(result: StageResult) -> dg.AssetKey:
    return dg.AssetKey.from_coercible(result.asset_key or [])
