"""Runs one attack in PyRIT's environment: ``python pyrit_job.py JOB.json``. What came of it is in the database that the job names.

The job: ``endpoint``, ``key``, ``model``, ``database``, ``prompts`` (at most so many), and either ``scenario`` with ``technique``,
or ``label`` with ``scorer``, ``texts``, ``pattern`` and ``known`` (the system prompt that answers are compared with).
"""

import asyncio
import json
import sys
from typing import Any

SCENARIOS = {
    "Encoding": ("pyrit.scenario.scenarios.garak.encoding", "EncodingTechnique"),
    "PackageHallucination": ("pyrit.scenario.scenarios.garak.package_hallucination", "PackageHallucinationTechnique"),
    "WebInjection": ("pyrit.scenario.scenarios.garak.web_injection", "WebInjectionTechnique"),
}


async def main(job: dict[str, Any]) -> None:
    from pyrit.prompt_target import OpenAIChatTarget
    from pyrit.setup import initialize_pyrit_async

    await initialize_pyrit_async("SQLite", load_defaults=False, env_files=[], silent=True, db_path=job["database"])
    target = OpenAIChatTarget(endpoint=job["endpoint"], api_key=job["key"], model_name=job["model"])
    if "scenario" in job:
        await scenario(job, target)
    else:
        await attack(job, target)


async def scenario(job: dict[str, Any], target: Any) -> None:
    import importlib

    module, techniques = SCENARIOS[job["scenario"]]
    loaded = importlib.import_module(module)
    chosen = [getattr(loaded, techniques)(job["technique"])]
    given = {"objective_target": target, "scenario_techniques": chosen, "max_concurrency": 2, "include_baseline": False}
    if job["scenario"] == "WebInjection":
        made = loaded.WebInjection(max_prompts_per_technique=job["prompts"])
    elif job["scenario"] == "Encoding":
        from pyrit.converter import AskToDecodeConverter
        from pyrit.scenario.core.dataset_configuration import CompoundDatasetAttackConfiguration

        # Texts of two data sets, each as it is and in one request, in up to two ways to encode it.
        made = loaded.Encoding(encoding_templates=AskToDecodeConverter.garak_templates[:1])
        most = max(1, job["prompts"] // 8)
        names = ("garak_slur_terms_en", "garak_web_html_js")
        parts = [loaded.EncodingDatasetConfiguration(dataset_names=[name], max_dataset_size=most) for name in names]
        given["dataset_config"] = CompoundDatasetAttackConfiguration(configurations=parts)
    else:
        made = getattr(loaded, job["scenario"])()
    made.set_params_from_args(args=given)
    await made.initialize_async()
    await made.run_async()


async def attack(job: dict[str, Any], target: Any) -> None:
    from pyrit.executor.attack import AttackExecutor, AttackScoringConfig, PromptSendingAttack

    scoring = AttackScoringConfig(objective_scorer=scorer(job))
    await AttackExecutor(max_concurrency=2).execute_attack_async(
        attack=PromptSendingAttack(objective_target=target, attack_scoring_config=scoring),
        objectives=job["texts"][: job["prompts"]],
        memory_labels={"headwater-probe": job["label"]},
        return_partial_on_failure=True,
    )


def scorer(job: dict[str, Any]) -> Any:
    import pyrit.score

    kind = getattr(pyrit.score, job["scorer"])
    if job.get("pattern"):
        return kind(patterns={"payload": job["pattern"]}, categories=["security"])
    if job.get("known"):

        class Known(kind):  # type: ignore[misc, valid-type]
            """Compares with the prompt of the application, which no message of the conversation has."""

            def _get_system_prompt(self, conversation_id: Any) -> str:
                return str(job["known"])

        Known.__name__ = job["scorer"]  # what the database calls it
        return pyrit.score.FloatScaleThresholdScorer(scorer=Known(categories=["security"]), threshold=0.5)
    return kind()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asyncio.run(main(json.load(file)))
