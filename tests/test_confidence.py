"""How sure a finding is: what a path goes through costs confidence, one step each."""

from __future__ import annotations

from pathlib import Path

import headwater
from headwater.config import Config
from headwater.findings import Confidence, Severity


def confidences(tmp_path: Path, text: str) -> dict[str, Confidence]:
    """The confidence of each finding, by the function that it is in."""
    (tmp_path / "main.py").write_text(text, encoding="utf-8")
    review = headwater.review(tmp_path, Config(processes=1, persona="audit"))
    return {finding.function: finding.confidence for finding in review.findings}


def test_a_field_that_others_set_is_less_sure_than_one_of_the_object(tmp_path: Path) -> None:
    found = confidences(
        tmp_path,
        """
import os
from openai import OpenAI

def ask(text):
    return OpenAI().responses.create(model="gpt-4.1", input=text).output_text

class Job:
    def __init__(self, command):
        self.command = command
    def run(self):
        os.system(self.command)

class Own:
    def plan(self, task):
        self.command = ask(task)
    def run(self):
        os.system(self.command)

def read(job: Job):
    os.system(job.command)

def here(task):
    job = Job(ask(task))
    os.system(job.command)

def queue(jobs, task):
    jobs.append(Job(ask(task)))
""",
    )
    assert found == {"Job.run": Confidence.MEDIUM, "Own.run": Confidence.HIGH, "read": Confidence.MEDIUM, "here": Confidence.HIGH}


def test_what_getattr_gives_may_be_another_name(tmp_path: Path) -> None:
    found = confidences(
        tmp_path,
        """
import os
from openai import OpenAI

class Part:
    def __init__(self):
        self.inputs = {}
    def fill(self, task):
        self.inputs["text"] = OpenAI().responses.create(model="gpt-4.1", input=task).output_text
    def __getattr__(self, name):
        return self.inputs[name]
    def run(self):
        os.system(self.text)
    def show(self):
        os.system(f"echo {self.__class__.__name__}")
""",
    )
    assert found == {"Part.run": Confidence.MEDIUM}


def test_no_dots_in_the_parts_of_a_path_is_a_check_that_can_be_passed(tmp_path: Path) -> None:
    found = confidences(
        tmp_path,
        """
from pathlib import Path, PurePosixPath
from flask import Flask, request

app = Flask(__name__)

def relative(name):
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise ValueError(name)
    return path

@app.route("/a")
def checked():
    return (Path("/srv") / relative(request.args["name"])).read_text()

@app.route("/b")
def unchecked():
    return (Path("/srv") / request.args["name"]).read_text()
""",
    )
    assert found == {"checked": Confidence.MEDIUM, "unchecked": Confidence.HIGH}


def test_an_empty_folder_is_little(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        """
import os
from flask import request

def make():
    os.makedirs("/srv/" + request.args["name"])

def remove():
    os.rmdir("/srv/" + request.args["name"])
""",
        encoding="utf-8",
    )
    review = headwater.review(tmp_path, Config(processes=1, persona="audit"))
    assert {finding.function: finding.severity for finding in review.findings} == {"make": Severity.LOW, "remove": Severity.HIGH}


def test_a_way_through_many_files_is_a_note_where_the_data_is_kept_with_much_else(tmp_path: Path) -> None:
    for number in range(7):
        hops = "".join(f"\n\ndef hop{hop}(text):\n    return hop{hop + 1}(text)\n" for hop in range(3))
        after = f"from file{number + 1} import hop0 as hop3\n" if number < 6 else "import subprocess\n"
        end = "" if number < 6 else "\n\ndef hop3(text):\n    subprocess.run(text, shell=True)\n"
        (tmp_path / f"file{number}.py").write_text(f"{after}{hops}{end}")
    (tmp_path / "main.py").write_text(
        "from openai import OpenAI\nfrom flask import request\nfrom file0 import hop0 as far\nfrom file6 import hop0 as near\n\n\n"
        "def ask(question):\n    return OpenAI().responses.create(model='m', input=question).output_text\n\n\n"
        "class Work:\n    def plan(self, question):\n        self.text = ask(question)\n\n"
        "    def run(self):\n        FIRST(self.text)\n"
    )
    main = (tmp_path / "main.py").read_text()
    for first, severity in (("far", "LOW"), ("near", "CRITICAL")):
        (tmp_path / "main.py").write_text(main.replace("FIRST", first))
        found = [one for one in headwater.review(tmp_path, Config(processes=1)).findings if one.rule == "llm-output-to-shell"]
        assert [one.severity.name for one in found] == [severity]
