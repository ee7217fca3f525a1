"""Advisories from OSV records, versions as registries order them, suppressions in manifests, and files that are made to hurt."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.documents import accounts, advisories, deployed, indexes, manifests, nodes, osv, pipelines, servers
from headwater.documents.launch import fetched

RECORD = {
    "id": "PYSEC-2099-1",
    "modified": "2024-01-02T00:00:00Z",
    "aliases": ["CVE-2099-1", "GHSA-aaaa-bbbb-cccc"],
    "summary": "Code `execution` by a\nprompt",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "LangChain_Core"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abc"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.3.1"}, {"introduced": "1.0"}, {"last_affected": "1.4"}]},
            ],
        },
        {"package": {"ecosystem": "PyPI", "name": "left-pad"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]},
    ],
}


def test_a_table_is_made_of_records_and_takes_over_what_an_older_one_has(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "a.json").write_text(json.dumps(RECORD))
    (tmp_path / "records" / "gone.json").write_text(json.dumps(RECORD | {"id": "X", "aliases": [], "withdrawn": "2024-01-03T00:00:00Z"}))
    rows = [
        "pypi\tlangchain-core\tGHSA-aaaa-bbbb-cccc\tCVE-2099-1\tlow\t<9\truns code",
        "pypi\tmcp\tGHSA-1\t\thigh\t<1\tkept",
        "pypi\tleft-pad\tGHSA-2\t\thigh\t<1\tno AI package",
    ]
    old = tmp_path / "old.tsv"
    old.write_text("\n".join(["# as of 2023-01-01", *rows]) + "\n")
    text = osv.table([str(tmp_path / "records"), str(old)])
    assert text.splitlines()[3:] == [
        "pypi\tlangchain-core\tGHSA-aaaa-bbbb-cccc\tCVE-2099-1\tcritical\t<0.3.1 || >=1.0 <=1.4\truns code",
        rows[1],
    ]
    assert advisories.as_of(text) == "2024-01-02"


def test_records_that_say_less_than_an_older_table_are_completed_by_it(tmp_path: Path) -> None:
    """Those of PyPA have no severity where GitHub has one in words, no mark for malware, and at times a date that is to come."""
    (tmp_path / "records").mkdir()
    bare = RECORD | {"aliases": ["CVE-2099-1"], "severity": [], "modified": "2999-01-01T00:00:00Z"}
    stolen = RECORD | {"id": "PYSEC-2099-2", "aliases": [], "summary": "Two releases contained malware that reads keys"}
    (tmp_path / "records" / "a.json").write_text(json.dumps(bare))
    (tmp_path / "records" / "b.json").write_text(json.dumps(stolen))
    old = tmp_path / "old.tsv"
    old.write_text("# as of 2023-01-01\npypi\tlangchain-core\tGHSA-aaaa-bbbb-cccc\tCVE-2099-1\thigh\t<9\truns code\n")
    text = osv.table([str(tmp_path / "records"), str(old)])
    assert text.splitlines()[3:] == [
        "pypi\tlangchain-core\tGHSA-aaaa-bbbb-cccc\tCVE-2099-1\thigh\t<0.3.1 || >=1.0 <=1.4\truns code",
        "pypi\tlangchain-core\tPYSEC-2099-2\t\tmalware\t<0.3.1 || >=1.0 <=1.4\t",
    ]
    assert advisories.as_of(text) == "2024-01-02"


def test_the_shipped_table_can_be_compared_as_a_whole() -> None:
    """Each row has a range of which every bound is a version, and no advisory is told twice of one package."""
    for (ecosystem, name), many in advisories.table().items():
        assert (ecosystem, name) in advisories.ai_packages()
        names = [id for one in many for id in {one.id, one.alias} - {""}]
        assert len(names) == len(set(names)), (name, sorted(names))
        for one in many:
            assert one.severity in advisories.SEVERITIES
            assert not advisories.unreadable(ecosystem, one.affected), (name, one)


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N", 2.2),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
    ],
)
def test_scores_are_those_of_the_standard(vector: str, score: float) -> None:
    assert osv.cvss3(vector) == score


@pytest.mark.parametrize(
    ("ecosystem", "version", "holds"),
    [
        ("pypi", "0.3.80rc1", True),
        ("pypi", "0.3.80", False),
        ("pypi", "1.0.0", True),
        ("pypi", "1.0.7.post1", False),
        ("pypi", "no version", False),
    ],
)
def test_versions_are_compared_as_registries_do(ecosystem: str, version: str, holds: bool) -> None:
    found = [one.alias for one in advisories.of(ecosystem, "langchain-core", version, "")]
    assert ("CVE-2025-65106" in found) is holds


def test_comments_of_manifests_suppress(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import langchain\n")
    (tmp_path / "requirements.txt").write_text(
        "litellm==1.0.0  # headwater: ignore[vulnerable-package] only its types are used\n"
        "# headwater: ignore[vulnerable-package] it is replaced next month\nlangchain==0.0.1\nmcp==1.0.0\n"
    )
    review = headwater.review(tmp_path, Config(processes=1))
    states = {one.expression: one.suppression is not None for one in review.findings if one.rule == "vulnerable-package"}
    assert states == {"pypi:litellm": True, "pypi:langchain": True, "pypi:mcp": False}


def test_comments_in_the_scripts_of_a_pipeline_suppress(tmp_path: Path) -> None:
    """They are comments of the shell there, inside a text of YAML, and say something of the next line of the file."""
    flow = tmp_path / ".github" / "workflows" / "test.yml"
    flow.parent.mkdir(parents=True)
    flow.write_text(
        "jobs:\n  test:\n    steps:\n      - run: |\n          # headwater: ignore[unpinned-package-install] the newest is tested here\n"
        "          pip install mcp\n          pip install openai\n"
    )
    review = headwater.review(tmp_path, Config(processes=1))
    states = {one.expression: one.suppression is not None for one in review.findings if one.rule == "unpinned-package-install"}
    assert states == {"pypi:mcp": True, "pypi:openai": False}


@pytest.mark.parametrize(
    "script",
    [
        "run: |",
        "run: |2\n",
        "run: &a !!str |\n  pip install mcp",
        'run: "pip install mcp\\',
        "run: 'pip install ''mcp",
        "run: >\n\n  pip\n\n  install",
        "run: *a",
        "run: [pip, [install]]",
        "run: ${{ ${{ }}",
        "env: [=, A=, ]",
        "run:\n  shell: python\n  run: pip install mcp",
    ],
)
def test_broken_pipelines_cost_nothing(script: str) -> None:
    list(pipelines.commands(".github/workflows/a.yml", script.encode()))


@pytest.mark.parametrize("name", sorted({*manifests._NAMES, "requirements.txt", "pip.conf", ".npmrc", "uv.toml", "pylock.dev.toml"}))
@pytest.mark.parametrize(
    "text", ["", "\n", "a = 1\n", "[a]\n", "[[package]]\n", "{}", "a: b\n", "\ufeffa==1\n", "[" * 9_000, "a." * 9_000, "\xff\0"]
)
def test_manifests_that_say_nothing_cost_nothing(name: str, text: str) -> None:
    data = text.encode("latin-1", "replace")
    assert all(pin.start < pin.end for pin in manifests.pins(name, data))
    assert list(indexes.of_settings(name, data)) == []
    manifests.own_name(name, data)


def test_a_reader_that_fails_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise ValueError("text of the repository")

    (tmp_path / "app.py").write_text("import mcp\n")
    (tmp_path / "compose.yaml").write_text("services:\n  a: {image: redis}\n")
    (tmp_path / "requirements.txt").write_text("litellm==1.0.0\n")
    (tmp_path / "uv.toml").write_text("[[index]]\nurl = 'http://pypi.acme.example/simple'\n")
    monkeypatch.setitem(manifests._READERS, "pip", fail)
    monkeypatch.setattr(deployed, "services", fail)
    review = headwater.review(tmp_path, Config(processes=1))
    assert [(gap.kind, gap.path) for gap in review.coverage.gaps] == [("crash", "compose.yaml"), ("crash", "requirements.txt")]
    assert not any("text of" in gap.reason for gap in review.coverage.gaps)
    assert review.coverage.status == "partial"
    assert [one.place.path for one in review.findings if one.rule == "untrusted-package-index"] == ["uv.toml"]


@pytest.mark.parametrize("mark", ["", "\ufeff", "# größer\n", "\ufeff# 𝒙\r\n"], ids=["plain", "mark", "two bytes", "four bytes"])
def test_values_of_yaml_know_their_places_in_bytes(mark: str) -> None:
    data = (mark + "a: &x [b, 'ö']\nc: *x\nd: {<<: {e: f}, g: h}\n---\ni: j\n").encode()
    roots, cut = nodes.documents(data)
    assert not cut
    assert [list(root.fields or ()) for root in roots] == [["a", "c", "d"], ["i"]]
    shared, again = roots[0].at("a"), roots[0].at("c")
    assert shared is not None
    assert again is not None
    assert again.items is shared.items
    assert [data[one.start : one.end].decode() for one in shared.items or ()] == ["b", "'ö'"]
    assert [data[one.key :].decode()[:2] for one in (shared, again)] == ["a:", "c:"]
    assert (roots[0].said("d", "e"), roots[0].said("d", "g")) == ("f", "h")
    first = nodes.read("a.yaml", data)
    assert first is not None
    assert list(first.fields or ()) == ["a", "c", "d"]
    assert first.fields is not None
    assert first.fields["c"].items is None


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("run: " + "${{ " * 49_000, id="expressions"),
        pytest.param("run: " + "$[[ " * 49_000, id="inputs"),
        pytest.param("run: " + "'\n" * 99_000, id="quotes"),
        pytest.param("\n" * 190_000 + "uses: your-org/a@v1", id="lines"),
        pytest.param("# ü\nenv:\n" + "".join(f"  A{n}: ü\n" for n in range(16_000)), id="characters of two bytes"),
    ],
)
def test_what_a_pipeline_costs_grows_with_its_length(script: str) -> None:
    path, data = ".github/workflows/a.yml", script.encode()
    begin = time.process_time()
    list(pipelines.commands(path, data))
    list(accounts.in_text(path, data))
    assert time.process_time() - begin < 3  # some tenths of a second each; half a minute where a place is looked for anew each time


@pytest.mark.parametrize(
    "data",
    [
        b'{"mcpServers":' + b"[" * 5_000 + b'"npx"' + b"]" * 5_000 + b"}",
        b'{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x',
        b'}]{"mcp": npx',
        b'"' * 9_001 + b"mcp npx",
        b"\xff\xfe mcpServers npx",
    ],
)
def test_broken_configurations_cost_nothing(data: bytes) -> None:
    for name in ("mcp.json", "mcp.yaml", "mcp.toml"):
        nodes.read(name, data)
        list(servers.told(name, servers.read(name, data)))


@pytest.mark.parametrize(
    "command", ["npx", "npx -y", "docker run", "docker -x", "sh -c", "cmd /c", "uvx --from", "npm exec --", "env A=1", ""]
)
def test_commands_that_end_early_fetch_nothing(command: str) -> None:
    assert fetched(command.split()) is None


@pytest.mark.parametrize(
    ("manifest", "stdio", "http"),
    [
        (
            ("package.json", '{"dependencies": {"@modelcontextprotocol/sdk": "1.8.0"}}'),
            (
                "src/index.ts",
                'import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";\nnew StdioServerTransport();\n',
            ),
            (
                "src/http.ts",
                'import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";\nnew SSEServerTransport("/m", null);\n',
            ),
        ),
        (
            ("requirements.txt", "mcp==1.13.0\n"),
            ("server.py", 'from mcp.server.fastmcp import FastMCP\n\nFastMCP("a").run(transport = "stdio")\n'),
            ("web.py", 'import os\n\nfrom server import server\n\nserver.run(transport=os.environ["TRANSPORT"])\n'),
        ),
    ],
)
def test_an_advisory_on_a_part_that_no_code_names_is_told_as_a_note(
    tmp_path: Path, manifest: tuple[str, str], stdio: tuple[str, str], http: tuple[str, str]
) -> None:
    def severity() -> str:
        (finding,) = (one for one in headwater.review(tmp_path, Config()).findings if one.rule == "vulnerable-package")
        assert ("no code beside it names the part" in finding.message) == (finding.severity.name == "LOW")
        return finding.severity.name

    for name, text in (manifest, stdio):
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(text)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "web.ts").write_text(http[1])  # of another package
    assert severity() == "LOW"
    (tmp_path / "app" / http[0]).write_text(http[1])
    assert severity() == "MEDIUM"


@pytest.mark.parametrize(
    ("package", "version", "beside", "uses"),
    [
        (
            "@langchain/core",
            "0.3.37",
            'import { Serializable } from "@langchain/core/load/serializable";',
            'import { load } from "@langchain/core/load";',
        ),
        ("@langchain/core", "0.3.37", "", 'import { pull } from "langchain/hub";'),
        ("@langchain/core", "0.3.37", "", 'import { MemorySaver } from "@langchain/langgraph";'),
        (
            "langchain",
            "0.2.10",
            'import { InMemoryStore } from "langchain/storage/in_memory";',
            'import { LocalFileStore } from "langchain/storage/file_system";',
        ),
        ("langsmith", "0.3.34", 'import { Client } from "langsmith";\nnew Client({ apiKey: "k" });', "new Client({ hideInputs: true });"),
        ("langsmith", "0.3.34", "showHideInputs(node);", 'const settings = { LANGSMITH_HIDE_OUTPUTS: "true" };'),
        ("langsmith", "0.3.34", "", 'import { createAnonymizer } from "langsmith/anonymizer";'),
        ("langsmith", "0.4.0", 'import { RunTree } from "langsmith";', "RunTree.fromHeaders(request.headers);"),
    ],
)
def test_what_code_has_to_write_to_use_a_part_of_a_package_of_npm(
    tmp_path: Path, package: str, version: str, beside: str, uses: str
) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {package: version}}))
    (tmp_path / "index.ts").write_text(f"export const a = 1;\n{beside}\n")
    assert _severities(tmp_path) == {"LOW"}
    (tmp_path / "more.ts").write_text(f"{uses}\n")
    assert _severities(tmp_path) == {"MEDIUM"}


@pytest.mark.parametrize(
    ("package", "version", "uses"),
    [
        ("langsmith", "0.5.0", 'client.pull_prompt("someone/prompt")'),
        ("langsmith", "0.7.30", "Client(hide_outputs=True)"),
        ("langsmith", "0.4.20", "RunTree.from_headers(request.headers)"),
        ("langchain-classic", "1.0.3", 'hub.pull("someone/prompt")'),
    ],
)
def test_what_code_has_to_write_to_use_a_part_of_a_package_of_pypi(tmp_path: Path, package: str, version: str, uses: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{package}=={version}\n")
    (tmp_path / "app.py").write_text("a = 1\n")
    assert _severities(tmp_path) == {"LOW"}
    (tmp_path / "app.py").write_text(f"{uses}\n")
    assert _severities(tmp_path) == {"MEDIUM"}


def test_a_workspace_with_a_version_of_its_own_is_asked_alone(tmp_path: Path) -> None:
    sdk = "node_modules/@modelcontextprotocol/sdk"
    packages = {f"servers/{name}/{sdk}": {"version": version} for name, version in (("redis", "1.9.0"), ("web", "1.8.0"))}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": {sdk: {"version": "1.27.0"}, **packages}}, indent=2))
    for name, transport in (("redis", "StdioServerTransport"), ("web", "SSEServerTransport")):
        (tmp_path / "servers" / name).mkdir(parents=True)
        (tmp_path / "servers" / name / "index.ts").write_text(f"new {transport}();\n")
    found = [one for one in headwater.review(tmp_path, Config()).findings if one.rule == "vulnerable-package"]
    assert {("1.9.0" in one.message, one.severity.name) for one in found} == {(True, "LOW"), (False, "MEDIUM")}


def test_parts_are_of_advisories_that_the_table_has() -> None:
    known = {one.id for found in advisories.table().values() for one in found}
    packages = {f"{ecosystem}:{name}" for ecosystem, name in advisories.table()}
    assert advisories.parts()
    assert advisories.parts().keys() <= known | packages


@pytest.mark.parametrize(
    ("file", "text", "severity"),
    [
        ("app.py", "import litellm\n", "LOW"),
        ("Dockerfile", 'FROM python:3.12\nCMD ["litellm", "--config", "models.yaml"]\n', "MEDIUM"),
        ("compose.yaml", "services: {proxy: {image: ghcr.io/berriai/litellm:main}}\n", "MEDIUM"),
        ("requirements.txt", "litellm[proxy]==1.81.0\n", "MEDIUM"),
        ("start.sh", "exec litellm --port 4000\n", "MEDIUM"),
    ],
)
def test_advisories_on_a_server_concern_those_who_start_it(tmp_path: Path, file: str, text: str, severity: str) -> None:
    (tmp_path / "requirements.txt").write_text("litellm==1.81.0\n")
    (tmp_path / "main.py").write_text("import litellm\n")
    (tmp_path / file).write_text(text)
    assert _severities(tmp_path) == {severity}


@pytest.mark.parametrize(
    ("manifest", "text", "code", "severity"),
    [
        ("package.json", '{"devDependencies": {"@langchain/core": "0.3.37"}}', "export const a = 1;\n", "LOW"),
        (
            "package.json",
            '{"devDependencies": {"@langchain/core": "0.3.37"}}',
            'import type { Tool } from "@langchain/core/tools";\nexport const a: Tool[] = [];\n',
            "LOW",
        ),
        (  # what is bundled is used
            "package.json",
            '{"devDependencies": {"@langchain/core": "0.3.37"}}',
            'import { load } from "@langchain/core/load";\nexport const a = load;\n',
            "MEDIUM",
        ),
        ("package.json", '{"dependencies": {"mcp-remote": "0.1.10"}}', "export const a = 1;\n", "MEDIUM"),
        (
            "package.json",
            '{"peerDependencies": {"@langchain/core": ">=0.3"}, "devDependencies": {"@langchain/core": "0.3.37"}}',
            'import { load } from "@langchain/core/load";\nexport const a = load;\n',
            "LOW",
        ),
        (
            "package.json",
            '{"dependencies": {"mcp-remote": "0.1.10"}, "devDependencies": {"mcp-remote": "0.1.10"}}',
            "",
            "MEDIUM",
        ),
        ("pyproject.toml", '[dependency-groups]\ndev = ["mage-ai==0.9.70"]\n', "", "LOW"),
        ("pyproject.toml", '[dependency-groups]\nserver = ["mage-ai==0.9.70"]\n', "", "MEDIUM"),
        ("pyproject.toml", '[project.optional-dependencies]\ntest = ["mage-ai==0.9.70"]\n', "", "LOW"),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\nmage-ai = "0.9.70"\n', "", "LOW"),
        ("pyproject.toml", '[tool.poetry.group.api.dependencies]\nmage-ai = "0.9.70"\n', "", "MEDIUM"),
        ("requirements-dev.txt", "mage-ai==0.9.70\n", "", "LOW"),
        ("requirements-dev.txt", "mage-ai==0.9.70\n", "import mage_ai\n", "MEDIUM"),
        ("requirements-device.txt", "mage-ai==0.9.70\n", "", "MEDIUM"),
    ],
)
def test_an_advisory_on_what_only_those_have_who_work_on_the_code_is_told_as_a_note(
    tmp_path: Path, manifest: str, text: str, code: str, severity: str
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / manifest).write_text(text)
    (tmp_path / "pkg" / ("index.ts" if manifest == "package.json" else "app.py")).write_text(code or "a = 1\n")
    (tmp_path / "pkg" / "a.test.ts").write_text('import { load } from "@langchain/core/load";\nload("");\n')
    assert _severities(tmp_path) == {severity}


def _severities(root: Path) -> set[str]:
    return {one.severity.name for one in headwater.review(root, Config()).findings if one.rule == "vulnerable-package"}


def test_a_list_of_templates_that_a_server_answers_with_uses_no_template(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"dependencies": {"@modelcontextprotocol/sdk": "1.24.1"}}')
    for text, severity in (
        ("server.setRequestHandler(ListResourceTemplatesRequestSchema, list);\n", "LOW"),
        ("server.resource('a', new ResourceTemplate('a://{x}'), read);\n", "MEDIUM"),
    ):
        (tmp_path / "index.ts").write_text(f'import {{ Server }} from "@modelcontextprotocol/sdk/server/index.js";\n{text}')
        assert {one.severity.name for one in headwater.review(tmp_path, Config()).findings if one.rule == "vulnerable-package"} == {
            severity
        }
