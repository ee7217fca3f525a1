"""Every bound of the analysis, each with its reason. All are counted, never timed: the same result on every machine."""

from __future__ import annotations

from typing import Final

# Files
FILE_BYTES: Final = 4_000_000  # the largest hand-written modules seen are under 1 MB; larger ones are data or generated
NOTEBOOK_BYTES: Final = 16_000_000  # a notebook holds its outputs, images among them; its code is bounded by FILE_BYTES
NOTEBOOK_NESTING: Final = 100  # of its JSON: plots and widgets in outputs stay below 30
FILES: Final = 200_000  # the largest monorepos; beyond it a run would not end in minutes
DEPTH_OF_FOLDERS: Final = 60  # deeper trees are made to exhaust
LINE_BYTES_GENERATED: Final = 20_000  # a line this long is minified or data

# Frontends
PARSE_STEPS: Final = 20_000  # of the parser (a hundred operations each) for one file, besides those of its size: half a second
PARSE_STEPS_PER_BYTE: Final = 0.06  # whole files need under 0.013; a broken one is parsed several times
OPEN_BRACKETS: Final = 20_000  # in a script, at one place: the parser's own stack holds some 90,000 nested blocks
NESTING: Final = 200  # nested syntax: hand-written code stays below 40; keeps recursion far from the interpreter's limit
LITERAL_CHARS: Final = 400  # enough of a SQL statement or a prompt to judge its context
BUILD_PARTS: Final = 256  # elements of a display that are kept apart; the rest is joined
INSTRUCTIONS: Final = 200_000  # of one function; the largest hand-written ones have under 20,000

# Values
LABELS: Final = 12  # sources and parameters told apart in one value; a reader follows fewer
REFS: Final = 8  # classes, functions and API paths that one value can be
OBJECTS: Final = 4  # objects that one value can be: a branch or two, each with its own
WORK: Final = 2_000  # parts of results made anew at the calls of one function; hand-written functions need under 500
WORK_OF_CALL: Final = 8_000  # with those of one call more, which are not left out half-way: a replay would leave out others
ACCESS_PATH: Final = 3  # attributes and keys told apart below a parameter: self.client.model.name has three
PUBLIC_HOPS: Final = 3  # calls from a public function of a package to what runs its argument: further away the flow is not its promise
FIELDS: Final = 24  # places of one list that are told apart
KEYS: Final = 96  # attributes or keys of one object that are told apart: constructors of the largest hand-written classes set about 60
INSTANCE_FIELDS: Final = 8  # of one instance that a summary keeps; of more, only those with data: its class knows the rest
SHAPE_DEPTH: Final = 4  # nesting of objects that a summary keeps
SHAPE_NODES: Final = 24  # parts of one shape: every caller makes each of them again
SET_NODES: Final = 6  # parts of a value that a call leaves in a field of its argument: what is deeper, the field's class knows
SCHEMA_DEPTH: Final = 6  # nesting of objects and lists in a schema that is read: the deepest of hand-written tools have four
SCHEMA_PARTS: Final = 200  # parts of one schema: hand-written ones have under 60
API_PATH: Final = 12  # segments of an API path, counted from the last one that is of a type
DROPS: Final = 2  # confidence steps: high, medium, low

# Calls
CANDIDATES: Final = 4  # definers of a method name for a call on an unknown receiver: more are rather chance than meaning
OVERRIDES: Final = 8  # overrides that a call on self may reach; of an abstract method as many as DISPATCH
DISPATCH: Final = 24  # functions in one table of tools
SIGHT_NODES: Final = 96  # parts of an argument that makes a component of the system map: an agent has up to some dozens of tools
WANTS: Final = 32  # parameters, and parts of them, that components in one function take
SIGHT_CALLERS: Final = 6  # callers of callers asked for what a component is given
DISPLAYS: Final = (
    400  # registers followed to find one list or object that is written out; of 13,000 in a large application nine need more than 256
)
MAP_REACH: Final = 2_000  # functions that one tool or entry point is followed into
WORKSPACE_CHARS: Final = 200  # of the folder in a lock file in which a workspace has a version of its own
EFFECT_CALLS: Final = 3  # calls between a tool and an operation that it should speak of: what lies deeper is how something is done
DESCRIPTION_CHARS: Final = 20_000  # of what a tool tells of itself that are read
PROMPT_CHARS: Final = 24  # of fixed text that make what is sent to a model a prompt and no label
ATTACK_PATHS: Final = 500  # chains that are kept, the worst first: people act on the first few
ATTACK_HOPS: Final = 8  # components of one chain: request, agent, tool, agent, tool are five
ATTACK_OWNERS: Final = 4  # components that one finding is told at
PROMPT_NESTING: Final = 4  # displays in displays of messages: a list of messages, a message, its content, a part of that
BEHIND_AT: Final = 4  # characters between the @ of a decorator and its name
COMPONENT_NAME: Final = 120  # characters of the name of a component
EFFECTS: Final = 128  # of one summary
APPLY_DEPTH: Final = 2  # properties and callbacks met while one call is applied; deeper nesting is a property that reads itself
CALL_DEPTH: Final = 6  # callbacks that call callbacks: deeper nesting is recursion
CALLBACKS: Final = 32  # calls of handed-over functions that one summary keeps
MUTATIONS: Final = 16  # fields of arguments that one summary sets, those nearest to the argument first: callers repeat each
CHOICES: Final = 256  # elements of displays for which one condition is tried: BUILD_PARTS of them are kept apart
ARGUMENTS_REPORTED: Final = 16  # positional arguments told apart in a call

# Solver
LOOP_ROUNDS: Final = 3  # of one loop: taint needs as many as the longest chain of variables that carries it round
COMPONENT_ROUNDS: Final = 4  # of one component of functions that call each other
COMPONENT_REPEATS: Final = 1_000  # in all rounds of one component after the first: one with more has guessed calls in it, and never settles
NESTED: Final = 64  # functions interpreted one inside the other, each asked for by the one before
NESTED_FRAMES: Final = 1_500  # of Python's own, for one function: its deepest block (200 levels, three frames each) and a call inside it
IMPORT_CHAIN: Final = 64  # imports through which one name is followed; the longest chains of re-exports in real packages have under ten
NAMED_FAMILY: Final = 1_000  # subclasses through whose names a method may be called
MADE_FAMILY: Final = 64  # subclasses of a class of which it is asked who makes an object, and with what: of more, half of the project does
HELD_DEPTH: Final = 3  # fields of a stored object that may hold a function
OUTER_WRITERS: Final = 8  # functions that set a field of this name on something else than self: with more, the name says nothing
SETTERS: Final = 32  # functions that set a field of this name, looked at because the field reaches an operation
COMPUTING: Final = 500  # functions looked through to tell that one only computes: layers call some dozens of their own
REPAIRS_IN_ALL: Final = 3_000  # in one review: some ten seconds; with a third of it, flows of large projects were lost
STATE_ROUNDS: Final = 6  # of the functions that share a state, each of which reads what others wrote: longer chains of keys are rare
PLUG_IN_ROUNDS: Final = 2  # of plug-ins that load others
SLOT_WRITERS: Final = 200  # functions that may write what is read back from one kind of store: all are interpreted
ROUTES: Final = 5_000  # of all applications of a repository; the largest services have some hundreds
ROUTES_ASKED: Final = 4  # that one request may be for: of more, its address says nothing
ASKED_CALLERS: Final = 3  # callers of callers that are looked at for who asks: a handler, and what wraps it
ROUTERS_NESTED: Final = 6  # routers below routers: real ones have three
SLOT_NODES: Final = 12  # parts of what is kept in one place of a store
MENDS: Final = 12  # times that what is stale on the way to findings is mended; real projects need one to eight
MENDS_WORK: Final = 500_000  # parts of results made anew by all of that (see WORK): half a minute, where each function takes long
MEND_ROUNDS: Final = 2  # of one function each time: what changes again and again is cheaper to see the next time
REPAIRS_WORK: Final = 250_000  # parts of results made anew by that (see WORK): some ten seconds, also where each function takes long
REPAIRS: Final = 4  # of one function that read something too early, or what such a function changed

# Reports
TRACE_STEPS: Final = 25  # a reader gives up before
LONG_WAY: Final = 12  # steps of a way that is not sure, from which on few are real: of those that reviewers judged, a quarter
FAR_WAY: Final = 20  # steps, and
FAR_FILES: Final = 5  # files of a way that data in fields takes: of those that reviewers judged, hardly one was real
TRACES: Final = 3  # ways shown of one finding, from different sources first
SOURCES_PER_SINK: Final = 16  # sources kept of one finding
WAY_IN: Final = 6  # calls shown before the operation that brings the data in
WAY_IN_CALLERS: Final = 12  # callers looked at for each of them
TRACE_DEPTH: Final = 24  # functions that returned the data to one another, shown one inside the other
TRACE_HOPS: Final = 3_000  # calls from the source down to the sink; the middle of a long trace is not shown

# Cache
CACHE_BYTES: Final = 2_000_000_000  # of all that is kept: twenty of the largest projects
CACHE_FILE_BYTES: Final = 1_000_000_000  # of one file of it

# Identities of findings
EXPRESSION_CHARS: Final = 200  # of an operation that a report shows; of a longer one the digest counts
ANCHOR_BYTES: Final = 20_000  # of an operation, and of its function before it, that are read to know it again
ANCHOR_AROUND_BYTES: Final = 2_000  # after it
ANCHOR_TOKENS: Final = 16  # before and after it: a statement or two

MATCHES_COMPARED: Final = 10_000  # pairs of findings that are compared with one another: a hundred of one rule in one file, on both sides

BASELINE_BYTES: Final = 200_000_000  # of an earlier report: 40,000 findings with their traces
BASELINE_FINDINGS: Final = 100_000  # more than the largest projects have

RENAMES: Final = 1_000  # files with findings that are gone, or have come, among which renamed ones are looked for
RENAMES_COMPARED: Final = 20_000  # pairs of them whose lines are compared
RENAMES_BYTES: Final = 64_000_000  # of all of them on one side

# Suppressions and configuration
SUPPRESSIONS_OF_FILE: Final = 1_000  # comments; a file with more should be excluded
SUPPRESSION_CHARS: Final = 1_000  # of one comment: ids, a reason and a date need under 200
CONFIG_BYTES: Final = 256_000  # of headwater.toml or pyproject.toml; the largest hand-written ones are under 100 KB
CONFIG_DOTS: Final = 200  # in one line: the time and memory of tomllib are quadratic in the parts of a dotted key
CONFIG_PATTERNS: Final = 1_000  # of files to leave out: each costs time for every name

# Users' own rules and API models
OWN_FOLDERS: Final = 100  # that a configuration file names
OWN_NAMES: Final = 10_000  # in a folder of rules: with more it is some other folder
OWN_FILES: Final = 1_000  # rules and API models of all folders: ten times ours
OWN_BYTES: Final = 256_000  # of one file; the largest of ours has 60 KB
OWN_LINE: Final = 5_000  # characters; the longest of ours have under 700
OWN_NODES: Final = 50_000  # of the YAML of one file, each alias written out; the largest of ours has under 3,000
OWN_NESTING: Final = 24  # of that YAML; ours need 6
OWN_PATTERNS: Final = 50_000  # API paths in all own files, their alternatives written out; the built-in ones have 12,000
PATTERN_CHARS: Final = 2_000  # of one API path as it is written; the longest of ours has 539
PATTERN_READINGS: Final = 4_096  # of the alternatives of one API path
CATALOGUES: Final = 2  # of models and rules that a process keeps ready: the built-in one, and one with those of the user's own
PATTERNS_READ: Final = 50_000  # API paths and readings of them that are kept read; all of ours are 20,000
REGEX_STATES: Final = 1_000  # of the automaton of one regular expression; ours have under 200
RULE_TEST_NAMES: Final = 1_000  # files and folders of one test of a rule: the largest is a small project
RULE_TEST_BYTES: Final = 16_000_000  # of the files of one test

# Discovery of files
NAMES: Final = 2_000_000  # names of any kind looked at: ten times FILES, for what stands beside the source
NAMES_OF_FOLDER: Final = 100_000  # a folder with more is a store of data; reading names only in part would depend on the file system
GAPS_OF_KIND: Final = 100  # told one by one; the rest is counted, so that a repository cannot drown the ledger
CONTROL_SHARE: Final = 0.3  # of control characters; text has none, hidden NULs in code are a few
GITIGNORE_BYTES: Final = 256_000  # the largest hand-written ones are under 20 KB
GITIGNORE_LINES: Final = 5_000  # of one file; the longest hand-written ones have under 1,000
GITIGNORE_LINE_BYTES: Final = 1_000  # a pattern longer than a path names nothing
GITIGNORE_PATTERNS: Final = 5_000  # that apply to one folder, those of its parents included: each costs time for every name
REQUIREMENT_CHARS: Final = 1_000  # of one requirement or version that a manifest declares: real ones have under 200
GITIGNORE_TOTAL: Final = 50_000  # of one run: each is compiled
GIT_INDEX_BYTES: Final = 100_000_000  # of git's list of tracked files; a million files take about as much
MANIFESTS: Final = 2_000  # files that declare versions; the largest monorepos have some hundreds of packages
MANIFEST_BYTES: Final = 4_000_000  # the largest lock files seen are under 2 MB
BESIDE_BYTES: Final = 1_000_000  # of a file that names console scripts or holds prompts; the longest prompts are some kilobytes
BESIDE_SECTIONS: Final = 500  # agents or tasks in one file; a crew has some dozens at most
DEPLOYMENT_FILES: Final = 2_000  # YAML files and Dockerfiles that are looked at; the largest monorepos have some hundreds
DEPLOYMENT_NODES: Final = 100_000  # of one YAML file; manifests of a whole cluster have some ten thousands
BESIDE_DEPTH: Final = 50  # levels of YAML; what is read stands in the first two
PAPERS: Final = 100_000  # files beside the code that are read: the largest documentation trees have a tenth
PAPER_BYTES: Final = 1_000_000  # of one of them, but for lock files: larger ones are data and no settings or pages
PAPERS_BYTES: Final = 500_000_000  # of all of them: some seconds
SERVERS_BYTES: Final = 200_000  # of a configuration that may start tool servers: the longest are some kilobytes; lock files are none
SECRET_HEAD: Final = 8  # characters behind its prefix by which a key is known where it was cut off: fewer may be there by chance
DECLARATIONS: Final = 10_000  # of one such file; the largest lock files have under 2,000
GIT_FILE_BYTES: Final = 10_000  # of a .git file, which holds one path; of a reference
GIT_OBJECT_BYTES: Final = 64_000_000  # of an object that others are made from, and of those that are kept in memory
GIT_TREE_BYTES: Final = 10_000_000  # of one folder in a revision: NAMES_OF_FOLDER names of 100 bytes
GIT_COMMIT_BYTES: Final = 1_000_000  # of one commit; signatures and long messages have under 20 KB
GIT_COMMITS: Final = 100_000  # read to find where two histories part; ten years of a large project
GIT_DELTAS: Final = 4_095  # one made from another; the most that git makes
GIT_PACKS: Final = 1_000  # git joins them at 50

# Reports of other scanners (review --import): hostile input
IMPORT_BYTES: Final = 50_000_000  # of one report: a thousand packages with the whole text of their advisories have some MB
IMPORT_ITEMS: Final = 10_000  # advisories or secrets of one report; what nobody has looked through in years has some thousands
IMPORT_ALIASES: Final = 30  # ids of one advisory, and versions that fix it
IMPORT_NOTES: Final = 20  # reasons of a scanner for what it did not look at
IMPORT_TEXT: Final = 300  # characters of a summary
IMPORT_NAME: Final = 120  # of the name of a rule, a package or a version
IMPORT_PATH: Final = 4_096  # of a path, as systems bound it
IMPORT_SECRET: Final = 20_000  # of a secret: the longest are private keys
IMPORT_OF_FILE: Final = 1_000  # secrets of one file: nobody reads more, and each is looked for in all of it
IMPORT_SHORT: Final = 6  # characters of a secret that is looked for in its file: shorter ones are everywhere

# Worker processes. The one bound in seconds: native parsers cannot be interrupted, and what they hang on cannot be counted.
FILE_SECONDS: Final = 60.0  # for one file; the slowest one allowed (FILE_BYTES) takes under 5
WORKER_START_SECONDS: Final = 60.0  # to import the frontends, even from a cold disk
WORKER_BYTES: Final = 8 * 1024**3  # address space of one worker, so that a hostile file costs itself and not the machine
WORKER_ANSWER_BYTES: Final = 2 * 1024**3  # of one answer: the packed module of the largest file has under a tenth
CRASHES: Final = 100  # files of one run that may end a worker; with more it is the parser that is broken, or an attack
HANGS: Final = 10  # files of one run that may reach FILE_SECONDS, so that a run ends
CHUNK_BYTES: Final = 256_000  # source given to a worker at once: about 0.1 s, small enough to share out the last ones
CHUNK_FILES: Final = 64  # the same for many small files

# Model files
MODEL_UNPACKED_BYTES: Final = 8_000_000_000  # unpacked from one file: compressed checkpoints have some gigabytes; more is a bomb
MODEL_MEMBERS: Final = 100_000  # of one archive with all in it: sharded checkpoints have some thousands
MODEL_NESTING: Final = 6  # archives in archives: a layer of an image, an archive, a checkpoint, a member are four
MODEL_CODE_BESIDE: Final = 20  # modules beside a configuration that loading it imports: the largest have some ten
MODEL_CONCERNS: Final = 200  # of one member; a reader follows the first few
MODEL_EVIDENCE: Final = 2_000  # characters of a decoded call or a template that a report can show
MODEL_FIELDS: Final = 3_000_000  # of one message or list in a model file: graphs of the largest models have some hundred thousand nodes
MODEL_TEXT: Final = 48_000_000  # bytes of a JSON, YAML or XML file that is read whole: tokenizers of large models have 35 MB
MODEL_TEMPLATE: Final = 1_000_000  # characters of a chat template: the longest published ones have 30,000
MODEL_TEMPLATE_NODES: Final = 100_000  # of its syntax tree: the largest published ones have some 3,000
MODEL_FILES_AT_ONCE: Final = 24  # of a review, in its own process: starting workers costs as much as some dozens of small ones
MODEL_LOADS: Final = 200  # calls in the code that load model files: a message names three for each file
MODEL_PICKLE_STEPS: Final = 20_000_000  # opcodes of one file with all in it: a vocabulary of three million words takes ten million
MODEL_PICKLE_TRIAL: Final = 20_000  # opcodes run to find out whether bytes are a pickle, or act as one
MODEL_PICKLE_TRIALS: Final = 3_000_000  # opcodes run at places where a pickle may be hidden: noise breaks after some dozen at each
MODEL_PICKLE_STACK: Final = 2_000_000  # values on the stack: a list is built in groups of a thousand, a tuple at once
MODEL_PICKLE_MEMO: Final = 5_000_000  # values kept for later: each text of a vocabulary
MODEL_PICKLE_KEPT: Final = 1 << 16  # bytes of one text that are kept: a decoded call shows some hundred
MODEL_PICKLE_LINE: Final = 64_000_000  # bytes of one line of protocol 0, which writes arrays as text
MODEL_PICKLE_ITEMS: Final = 256  # items of a list or dict that are kept: states of objects have some dozen fields
MODEL_PICKLE_STREAMS: Final = 10_000  # pickles after one another in one file: logs of training have some thousand
MODEL_PICKLE_SEARCH: Final = 64_000_000  # bytes behind a pickle that are searched for another one
MODEL_PICKLE_TRIES: Final = 2_000  # places in those bytes at which one is tried: two bytes that begin one are in any 16 kB of noise
MODEL_SOURCES: Final = 500  # files of Python code in model files that a review reads: handlers and modules of one model are under 50
MODEL_OF_BASE: Final = 200_000_000  # bytes of a model file of a revision that is compared with: what git holds without LFS is smaller

# Proof: what the application under test may cost, and what is kept of what it says. It is run on the user's order, and is hostile all the
# same.
PROVE_COPY_FILES: Final = 50_000  # of the application's own files, without installed packages: the largest applications have some 10,000
PROVE_COPY_BYTES: Final = 2_000_000_000  # of them: data sets are given by a link
PROVE_FILE_BYTES: Final = 4_000_000_000  # that the application may write into one file
PROVE_OUTPUT: Final = 64_000  # bytes of each stream that are kept: an error with its trace stands at the end
PROVE_REQUEST_SECONDS: Final = 60.0  # for one request to the application: a turn of an agent has several calls of the model and of tools
PROVE_START_SECONDS: Final = 60.0  # until a service listens: imports of large libraries take 20 on a slow machine
PROVE_SECONDS: Final = 120.0  # for one start of a command, where the user gives no other
PROVE_STARTS: Final = 12  # of the application, where the user gives no other: the escapes that real checks let through need up to eight
PROVE_SENDS: Final = 2_000  # requests or calls within one start: a service of some dozen operations takes a few hundred
PROVE_SILENT: Final = 3  # requests or calls without an answer, one after another: what hangs three times hangs
PROVE_ANSWER: Final = 1_000_000  # bytes of one answer of the application that are looked at
PROVE_TOOLS: Final = 200  # tools or routes of one application that are tried; servers of tools have some dozens
PROVE_RECORD_BYTES: Final = 20_000_000  # of the record of a proof: the answers of one request, some kilobytes each
PROVE_REPORT_BYTES: Final = 100_000_000  # of a report of runs that is read again: some hundred proofs with their stacks
PROVE_SHOWN: Final = 2_000  # characters of a value that a report can show
PROVE_REFUSED: Final = 200  # attempts without proof that a report names, the farthest first
# Proof: what an application under test sends to the server that plays the model
PROVE_BODY_BYTES: Final = 64_000_000  # of one request; services take some 20 MB of images and documents
PROVE_KEPT_BYTES: Final = 1_000_000  # of a body that is kept as evidence
PROVE_KEPT_TOTAL: Final = 200_000_000  # of all that is kept of a run's requests; an agent of a hundred long turns sends some 20 MB
PROVE_HEADER_BYTES: Final = 65_536  # of one line; the longest are signed tokens and cookies
PROVE_HEADERS: Final = 200  # of one request; clients send under 30
PROVE_CHUNKS: Final = 100_000  # of one body, chunks of 640 bytes at the largest size
PROVE_JSON_DEPTH: Final = 120  # nesting of a request: a schema in a tool in a list has under 30
PROVE_CONNECTIONS: Final = 256  # open at once: a client keeps some ten; each is a thread
PROVE_EXCHANGES: Final = 20_000  # requests in one run; an agent that loops stops on an error after it
PROVE_SECONDS_IDLE: Final = 120.0  # before a connection that says nothing is closed; the one bound in seconds, of nothing that is told
PROVE_HOSTS: Final = 1_000  # names that get a certificate in one run
PROVE_PIECES: Final = 40  # parts of a streamed answer: enough that words and fences are cut in the middle
PROVE_VECTORS: Final = 2_048  # texts embedded in one request; the most that a service takes
# Proof: what an application under proof wrote
PROOF_EVENTS: Final = 200_000  # of one start, all processes: a monitor writes 5,000 of one
PROOF_EVENTS_FILES: Final = 5_000  # processes of one start: a test suite with a process for each case has some hundred
PROOF_EVENTS_BYTES: Final = 64_000_000  # of one process: 5,000 events with their stacks have under 40 MB
PROOF_EVENT_BYTES: Final = 200_000  # of one line: a value of 2,000 characters and a stack of 80 frames, all escaped, have under 150,000
# Proof: what the application sends is hostile, and each start of it costs seconds
PROVE_PROMPT_CHARS: Final = 60_000  # of one request, searched for forms: the start and the end of a longer one
PROVE_FORMS: Final = 24  # in which one place's answers are tried: prompts show up to four, and a dozen tools
PROVE_SCHEMA_DEPTH: Final = 6  # nesting of objects and lists in the arguments of a tool: the deepest of hand-written tools have four
PROVE_SCHEMA_PLACES: Final = 40  # texts in the arguments of one tool
PROVE_PLANS: Final = 400  # payloads for all arguments of one tool: three arguments with all that there are
PROVE_SEATS: Final = 64  # places of an application where a model is asked
PROVE_CANDIDATES: Final = 80  # answers tried at one place: a start of the application may try one only
PROVE_ASKS: Final = 200  # hostile answers in one start: frameworks that ask again for ever are answered plainly from then on
PROVE_ROUNDS: Final = 8  # calls of tools before the model is done: frameworks give up after ten to fifteen
# Red team. Reports of Garak, PyRIT and promptfoo are hostile input: they hold what a model answered
REDTEAM_BYTES: Final = 1_000_000_000  # of one report: all probes of Garak with ten generations make some hundred MB
REDTEAM_JSON: Final = 200_000_000  # of a report that is one JSON value, and so in memory as a whole
REDTEAM_LINE: Final = 16_000_000  # bytes of one line of a report: an attempt has a prompt and its answers
REDTEAM_NAME: Final = 160  # characters of the name of a probe or a detector
REDTEAM_EXCERPT: Final = 600  # characters of a prompt or an answer that is shown: enough to see what was asked and what came
REDTEAM_HITS: Final = 3  # answers that are shown of one probe and detector; the tool's report has them all
REDTEAM_RESULTS: Final = 5_000  # probes and detectors of one report: Garak has some 300 pairs
REDTEAM_VERDICTS: Final = 1_000_000_000  # of one line of a report: months of asking
REDTEAM_MISSING: Final = 1_000  # of one report, told one by one
REDTEAM_SQL_STEPS: Final = 2_000_000  # times a thousand steps of SQLite over one database: an attack costs some hundred steps
REDTEAM_BRIDGE_BODY: Final = 4_000_000  # bytes of a request to the bridge: the longest prompts of probes have some 100 kB
REDTEAM_ANSWER: Final = 1_000_000  # bytes of an answer of the application that are handed on: detectors search all of it
REDTEAM_BRIDGE_THREADS: Final = 16  # requests at work in the bridge; more wait
