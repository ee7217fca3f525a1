"""The model language: what an API model file (``apis/<language>/*.yaml``) may say.

One entry of ``apis`` describes one API path completely. A path is written as the code that makes the value:
``openai.OpenAI().chat.completions.create``; ``()`` is the result of a call (or an instance), ``[]`` an element,
``{a,b}`` alternatives, ``*`` any one name, ``**`` any names; a first segment that is a name of ``types`` stands for each of its
paths; ``builtins.`` for builtins and their methods (``builtins.str().strip``). The first segment ``?`` is a receiver about which
nothing is known, ``?llm`` one of which only the name is known (a parameter, variable or field called ``llm``): they match one
confidence down.

An argument is ``self`` (the receiver), ``$0`` (position), ``$name`` (keyword), ``$0/name`` (position or keyword), ``$*`` (all
positional), ``$any`` (all arguments), followed by ``.attr``, ``[0]``, ``["key"]``, ``[]`` (any element) or ``[0=a|b]`` (those
elements of which part 0 is the text ``a`` or ``b``).

A condition is terms joined by ``and`` (binds tighter) and ``or``. A term is ``ARG is VALUE`` or ``ARG is not VALUE`` where VALUE is
``True``, ``False``, ``None``, ``absent`` (not passed), ``constant`` (a literal), ``text`` (a text whose beginning is known), ``list``
(a list or tuple display), ``own`` (a field of the object, a setting or an environment variable: what no caller gives), a quoted text,
a number, or an API path; or ``ARG matches "regex"`` (a literal text or whole number, or the known beginning of a text), or
``ARG begins "regex"`` (the
same of a text; where no beginning is known, the caller is asked whose parameter it is, and else it does not hold). What cannot be
decided counts as holding; where it is whether an argument is passed at all (it may be in ``**kwargs``), or whether nothing is known of
a text that has to be a certain one, one confidence down. Terms joined by ``and`` that speak of ``[]`` of one argument hold together if
they hold for one element. A term can also be ``declared LIBRARY < VERSION`` or ``declared LIBRARY >= VERSION``: it holds where the
repository declares versions of the library for the module, and all of them are so; with ``not`` before the operator it holds
otherwise, also where nothing is declared.

Loading and matching are in ``headwater.apis.load``.
"""

from __future__ import annotations

import msgspec

SOURCE_KINDS = (
    "llm-output",
    "tool-args",
    "retrieved-content",
    "tool-result",
    "user-prompt",
    "http-input",
    "websocket-input",
    "file-content",
    "model-file",
    "dataset",
    "network-peer",
    "library-input",
    "env",
    "cli",
    "config",
    "database",
    "secret",
    "pii",
    "internals",
    "model-internals",
    "system-prompt",
    "fixed-prompt",
    "contact-data",
)
SINK_CLASSES = (
    "code",
    "shell",
    "sql",
    "path-read",
    "path-write",
    "url",
    "html",
    "template",
    "deserialize",
    "prompt-system",
    "prompt",
    "response",
    "egress",
    "embedding",
    "vector-write",
    "training-data",
    "message",
    "log",
    "redirect",
    "regex",
    "query",
    "ldap",
    "xml",
    "import",
    "prototype",
    "sandboxed-code",
    "generation",
    "telemetry",
    "limit",
    "waiting",
    "plug-in",
    "tenant",
)


COMPONENTS = (
    "entry-point",
    "llm",
    "llm-call",
    "embedding-model",
    "prompt",
    "agent",
    "tool",
    "retriever",
    "vector-store",
    "memory",
    "mcp-server",
    "mcp-client",
    "document-source",
    "dataset",
    "model-file",
    "guard",
    "secret",
    "server",
)
"""The kinds of components of a system map."""
CAPABILITIES = (
    "reads-files",
    "writes-files",
    "network-out",
    "executes-code",
    "executes-shell",
    "database-read",
    "database-write",
    "sends-messages",
    "spends-money",
    "reads-secrets",
)
"""What the code of a tool can do."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="kebab"):
    pass


class SinkModel(_Strict, frozen=True):
    """An argument that is an operation's dangerous operand."""

    class_: str = msgspec.field(name="class")
    at: str | list[str] = "$0"
    when: str = ""
    confidence: str = "high"
    """Where the operation is less dangerous than its class says: medium or low."""
    safe_if: str = ""
    """``no-option``: text that is known not to begin with a dash does no damage there."""
    unexpected: bool = False
    """Who hands text to a function of a package does not expect this to happen to it: reported for parameters of public functions."""
    session: bool = False
    """It is there to run what it is sent: a terminal, a kernel. Whoever may send it something does there as he likes anyway."""
    little: bool = False
    """Whoever decides on the operand can do little with it: the finding is of low severity."""
    hindered: str = ""
    """The condition under which something stands in the way that can be passed."""
    but: str = ""
    """How that is passed, in words."""
    does: str = ""
    """What the operation does with it, as a phrase after the code: ``runs it in a shell``."""


class Address(_Strict, frozen=True):
    """Under which address a function answers requests."""

    path: str = "$0"
    """The argument with the path, below that of the router."""
    method: str = ""
    """The argument with the method, or with several; ``name``: the last name of the API path."""
    default: str = ""
    """The method where none is said; empty: any."""
    router: str = "self"
    """The argument that is the router; ``module``: the module in which this stands."""


class Mount(_Strict, frozen=True):
    """The routes of a router are found below another."""

    router: str
    under: str = "self"
    prefix: str = ""


class Asks(_Strict, frozen=True):
    """A request, which a route of the project may answer."""

    at: str = "$0"
    """The argument with the address."""
    method: str = ""
    """The argument with the method; ``name``: the last name of the API path."""
    default: str = ""
    based: bool = False
    """The address is one below another that is said elsewhere."""
    gives: str = "response"
    """What the result is: a ``response`` with methods that give the answer (``body``), the ``answer``, an object that holds it as ``data``,
    or one that hands over an ``event`` with it."""


class Callback(_Strict, frozen=True):
    """A function handed over, which the library calls."""

    function: str
    """The argument that holds it (a function, a list of them, or a dict of them)."""
    parameters: str = ""
    """Source kind of all of its parameters."""
    by_name: dict[str, str] = {}
    """Source kind of single parameters (by name); beats ``parameters``."""
    given: list[str] = []
    """What the parameters are by their position, beats the others: a source kind, an API path, or empty (the library fills it itself)."""
    schema: str | list[str] = ""
    """The argument that is the schema with which the library checks the first parameter (of several, the first that is passed): one that
    ``describes`` speaks of, or a table of such by the names of fields. Of a method that is overridden: a field, as ``self.schema``;
    ``callee``: what is called says it."""
    documents: bool = False
    """The library checks JSON Schemas too."""
    at: str = ""
    """The argument, a number, that is the position from which on parameters are what ``given`` says."""
    parts: dict[str, str] = {}
    """Parts of the object that is given first, by their names with dots between, and the arguments that are the schemas with which the
    library checks what is in them (``{query: $1.schema.querystring}``)."""
    within: str = ""
    """A field of the first parameter that may hold what is checked, instead of the parameter itself."""
    args: list[str] = []
    """Arguments that are passed on to it, in order (``Thread(target=f, args=(x,))``: ``$args[0]`` ...)."""
    spread: str = ""
    """An argument whose elements are its positional arguments (``$args``)."""
    spread_keywords: str = ""
    """An argument whose items are its keyword arguments (``$kwargs``)."""
    except_: list[str] = msgspec.field(name="except", default=[])
    """Parameters that the library fills itself: names, or API paths of annotations or defaults."""
    first_harmless: list[str] = []
    """Sink classes to which the first parameter does no harm: a file that was uploaded lies where the library has put it."""
    result: bool = False
    """The call returns what the callback returns."""
    state: Slot | None = None
    """The first parameter holds the items of these slots, and what the function returns is kept in them; ``parameters`` is the source kind
    of those that nobody keeps."""
    returns: str = ""
    """Of a decorator: source kind of what calls of the decorated function give (its body is a prompt)."""
    gives: str = ""
    """Sink class of what the function returns: the answer of a route is ``response``, a part of the instructions ``prompt-system``."""
    is_: str = msgspec.field(name="is", default="")
    """What the function becomes: ``tool``, ``route``, ``handler`` ..."""
    address: Address | None = None
    """Where it answers requests."""
    result_in: str = ""
    """What it returns is in this field of the result."""
    unshown: bool = False
    """No browser shows what it answers: links and forms send no such request (PUT, PATCH, DELETE)."""
    dispatches: bool = False
    """Of a tool: the function runs whichever of the tools that are declared elsewhere is asked for; it is none itself."""
    named_in: str = ""
    """Of a decorator that is called: the argument, a text, that names the parameters in angle brackets (``/users/<int:id>``). Those that
    it does not name have a default, or another decorator fills them, or they are in a prefix of the text."""
    validates: bool = False
    """The library checks annotations: an ``int`` parameter is an int."""


def is_object(given: str) -> bool:
    """Whether what ``Callback.given`` says of a parameter is the API path of an object, and not a kind of data."""
    return ":" in given or "." in given


class Guard(_Strict, frozen=True):
    """A call whose truth proves something about a value."""

    on: str = "self"
    proves: list[str] = []
    """Sink classes for which the value is safe then; ``all`` for every one; ``no-option``: it does not begin with a dash;
    ``no-slash``: it has no separator of folders in it; ``in-numbers``: it is the address of a network in numbers; ``rooted``: it
    begins with a slash."""
    where_false: bool = False
    """The value is safe where the call is false."""
    needs: str = ""
    """``resolved``: only for a path that was resolved before."""
    weak: bool = False
    separated: str = ""
    """An argument that has to end with a separator of folders; where that is not known, the check is weak."""
    pattern: str = ""
    """The argument that is the regular expression with which the text is compared: what is proven follows from it (``apis.patterns``)."""
    way: str = ""
    """How: ``fullmatch``, ``match`` or ``search``."""
    but: str = ""
    """Of a weak check: how it is passed, in words."""
    eases: bool = False
    """Of a weak check: little can be reached by who passes it."""
    when: str = ""
    raises: bool = False
    """The call raises where the check fails; its result does not matter."""


class Shows(_Strict, frozen=True):
    """An attribute whose truth proves something about the address that its object stands for."""

    when_true: list[str] = []
    """Sink classes for which the address is safe where the attribute is true."""
    when_false: list[str] = []
    weak: bool = False
    words: list[str] = []
    """Of what is a word: those that it is equal to where it is true."""


class Slot(_Strict, frozen=True):
    """A place where one call keeps data and another reads it back: known by a kind and by what arguments are."""

    in_: str = msgspec.field(name="in")
    """What such a place is called, before its key: ``session key``."""
    key: list[str] = []
    """Arguments that are constants, or one module variable or field, or objects with an ``identity``; ``name``: the last name of the path
    (what is in brackets, where that is ``[]``); ``function``: what is called. Where one of them is none of that, nothing is kept and
    nothing recalled."""
    value: list[str] = []
    """Of what keeps: the arguments with the data; ``result``: what the call gives."""
    named: bool = True
    """A module variable or a field of a class will do as a key."""
    made: bool = False
    """Of what keeps: where the data is a function, what that makes of what is there is kept."""
    whole: bool = False
    """What is read back has another form than what was kept: its parts are not those that were kept."""
    items: bool = False
    """Each item of the data is kept under its own name; what is recalled is an object of all that are known."""
    also: bool = False
    """Of an attribute that recalls: the library's objects have attributes of their own; it is one of these where nobody keeps anything."""


class Cell(_Strict, frozen=True):
    """A call that gives what a slot of its own holds, and a function that puts something else there."""

    in_: str = msgspec.field(name="in")
    value: str = "$0"
    """What is there at first; a function makes it."""
    reducer: str = ""
    """The function that makes the new state of the old one and of what is put there."""


class Cleared(_Strict, frozen=True):
    """Sink classes for which a result is safe under a condition."""

    classes: list[str]
    when: str
    left_of: str = ""
    """The argument that is a regular expression of whose matches none is left: of the classes, those count to which what else there may be
    does no harm."""
    by: str = ""
    """The argument that stands in place of each match, a text of the program."""


class Hindered(_Strict, frozen=True):
    """Sink classes for which a result was made safer, in a way that can be passed."""

    classes: list[str]
    but: str
    when: str = ""


class Describes(_Strict, frozen=True):
    """The result is a schema: what it lets pass. Where nothing is said, any data does."""

    when: str = ""
    """The condition under which it is what is said here; else any data passes."""
    like: str = ""
    """As this argument, a schema (``self``)."""
    safe: list[str] = []
    """Sink classes to which its data does no harm; ``all``: numbers, one of a few words."""
    fields: str = ""
    """The argument, a table of schemas by name, that says what is under which name; with ``like``: these too."""
    elements: str = ""
    """The argument that says what the elements of a list are."""
    values: str = ""
    """The argument that says what is in an object whose names are not known."""
    any_of: list[str] = []
    """Schemas, or lists of them, of which one has to hold."""
    all_of: list[str] = []
    """Those of which all have to."""
    pattern: str = ""
    """The regular expression that a text has to match."""
    begins: str = ""
    """The text with which a text has to begin."""
    form: str = ""
    """The argument that is the name of a text's form, as JSON Schema calls it: ``uuid``."""
    shown_by: str = ""
    """The function that has to be true."""
    through: str = ""
    """The function that makes something else of the data."""
    table: bool = False
    """It is read, not called: the table by name of what is in the receiver's fields (``schema.shape``)."""
    open: bool = False
    """Fields of which nothing is said pass too."""
    documents: bool = False
    """``like`` may be a JSON Schema."""


class Checks(_Strict, frozen=True):
    """The call compares data with a schema."""

    data: str = "$0"
    by: str = "self"
    """The argument that is the schema; ``callee``: what is called is made from it."""
    gives: str = "."
    """The result is the data as the schema lets it pass, or has it in this field; empty: it is the truth of the comparison."""
    told: str = "success"
    """The field of the result that says whether it passed."""
    refused: str = "error"
    """The field that says what is wrong, with parts of the data."""
    raises: bool = False
    """Data that does not pass raises."""
    documents: bool = False
    """The schema may be a JSON Schema."""


class Api(_Strict, frozen=True):
    """All that is known about one API path (or several that are alike)."""

    path: str | list[str]
    returns: str = ""
    """Source kind of the result."""
    when: str = ""
    """Condition for ``returns``."""
    clean: list[str] = []
    """Attributes or keys of the result that carry no data of others (``usage``, ``status_code``)."""
    label: str = ""
    """The value in words, for messages: ``the answer of the model``."""
    fills: str = ""
    """The argument that takes what ``returns`` brings in; the result itself is a number (``sock.recv_into(buffer)``)."""
    yields: str = ""
    """For a path that is read, not called: source kind of the value (``flask.request.args``, ``sys.argv``)."""
    harmless: list[str] = []
    """Sink classes to which what ``returns`` or ``yields`` brings in does no harm by its nature."""
    as_it_is: list[str] = []
    """Sink classes to which what ``yields`` brings in does no harm as it came; a part of it may (the address of a request)."""
    sinks: list[SinkModel] = []
    passes: list[str] = []
    """Arguments whose data is in the result."""
    into: dict[str, list[str]] = {}
    """Arguments that are changed: target argument to the arguments whose data it takes (``self: [$0]``)."""
    clears: list[str] = []
    """The result is the arguments made safe for these sink classes (``all``: a length, a choice, a fixed set). ``text``: it is a number, or
    numbers, and still what a model computes where the arguments are (``model-internals``); ``parts``: it is one of many numbers, which
    tells little of a model, and does nothing for other data."""
    clears_when: str = ""
    clears_unless: str = ""
    """A condition that, where it holds for sure, takes away what ``clears`` says."""
    matched: str = ""
    """The argument that is a regular expression: the result is what it matches, and safe for what that can not do."""
    clears_where: list[Cleared] = []
    """More classes, each group under a condition of its own."""
    hinders: Hindered | None = None
    """What the call does to a text that makes it safer, and can be passed."""
    marks: list[str] = []
    """Marks on the result: ``quoted`` (one word for a shell, unless it is put between quotes),
    ``resolved`` (a path without .. or links), ``collapsed`` (a path without .. but at its beginning), ``parsed-url``,
    ``constant-collection`` (if the argument is one), ``own-names`` (its keys are names of fields of a class),
    ``syntax-tree`` (the tree of a program),
    ``parsed-json`` (data that a service answers, and no page), ``module`` (a module imported by its name),
    ``same-host`` (what the host of the argument resolves to, or is written as: a check of it speaks of the whole address),
    ``folder-of`` (the folder of a path: of one that lies in a folder it does, too),
    ``joined-address`` (where the second argument leads from the first: a check of its host is one of the second),
    ``joined-path`` (the path that the receiver, where it is passed on, and the arguments make: a check of it is one of them)."""
    same: str = ""
    """The result is this argument itself (identity, a cast, a copy): ``$1``."""
    copies: str = ""
    """The result is a copy of this argument: with its fields, and with those given by name or in ``update`` instead."""
    instance_of: dict[str, str] = {}
    """Parts of the result that are instances of a class passed as an argument:
    ``{".choices[].message.parsed": $response_format}``; the key ``.`` is the result itself."""
    result_of: str = ""
    """The result is what this argument, a function, returns."""
    keeps: list[Slot] = []
    """Data goes into slots, from which others read it back."""
    recalls: list[Slot] = []
    """The result, or the value that is read, is what is in slots; with ``items``, ``returns`` is what is in those that nobody keeps."""
    cell: Cell | None = None
    """The result is a pair: what a slot holds that belongs to this place of the code, and a function that changes it. Its calls are told by
    the path of the element (``f()[]``)."""
    rows_of: str = ""
    """The result is a query for rows, or a list of rows, of the class that this argument is, or of those that it is a query for itself."""
    row_of: str = ""
    """The result is such a row."""
    writes_rows_of: str = ""
    """The keyword arguments, or the items of the first one, are written to columns of such rows."""
    identity: str = ""
    """The result is an object that is known, in every function, by what this argument is known by; ``place``: by where it is made."""
    updates: list[str] = []
    """The result is a message that says how a state is to be changed: the arguments with the changes (``Command(update=...)``)."""
    becomes: str = ""
    """The result is known by this API path from here on, where ``becomes-when`` holds for sure, and ``becomes-unless`` does not."""
    becomes_when: str = ""
    becomes_unless: str = ""
    router: str = ""
    """The result is a router: the argument with what all its paths begin with."""
    mounts: list[Mount] = []
    asks: Asks | None = None
    answers: str | list[str] = ""
    """The argument that a route answers with: by what it returns, if that is the result of this, or by the receiver, a response."""
    answers_when: str = ""
    body: bool = False
    """The receiver is a response: where it is that of a route of the project, the result is what that answers."""
    chained: bool = False
    """The result is the object of the receiver, known by the path of the call."""
    unmistakable: bool = False
    """Of a receiver about which nothing is known: the name alone says what it is (``x.innerHTML = y``)."""
    by_text: bool = False
    """Of a receiver about which nothing is known, or whose library has no model: what it is given says what it is (``when`` of the sinks).
    Of everything else that has a method of this name, nothing is said."""
    never_returns: bool = False
    """The call raises or ends the program: what follows it is not run (``sys.exit``, ``flask.abort``)."""
    computes: bool = False
    """A class: those of the project that are derived from it compute with numbers (layers, models, optimizers of a library for training). A
    method of theirs that names nothing else that models speak of is taken for one of the library: what it gives is numbers."""
    pipe: bool = False
    """Call every stage of the receiver with the result of the one before; the first takes argument 0."""
    makes: str = ""
    """``chain``: the result is a chain of ``self`` and the arguments in order (LCEL)."""
    guards: list[Guard] = []
    shows: Shows | None = None
    """For an attribute that is read: what its truth proves (``ipaddress.ip_address().is_global``)."""
    describes: Describes | None = None
    checks: Checks | None = None
    calls: list[Callback] = []
    decorates: Callback | None = None
    """The path (or its result) is a decorator; ``function`` is ``$0``."""
    overridden: Callback | None = None
    """Methods of the project that override the path are called by the library."""
    is_: str = msgspec.field(name="is", default="")
    """What the call makes in the system map: ``llm-call``, ``llm``, ``retriever``, ``vector-store``, ``agent`` ... (``COMPONENTS``).
    ``joins``: it makes nothing, what it is given belongs to the receiver from then on (``graph.add_node(node)``); ``holds``: its result is
    none itself and holds those that it is given (a chain, a runner)."""
    named: str = ""
    """The argument, a text, that names the component."""
    approval: str = ""
    """The argument that says that a person has to approve what the tool does."""
    can: list[str] = []
    """What the call does, beside what its sinks say (``CAPABILITIES``)."""
    prompt: str = ""
    """Where the text for the model is: a sink of the class ``prompt`` too."""
    model: str = ""
    tools: str = ""
    """Where the arguments of that are, for the system map."""
    template: str | list[str] = ""
    """The call makes a template of a prompt: where its texts for the system are, whose variables are kept. Templates among the arguments
    count."""
    fills_template: bool = False
    """The receiver, a template, is filled with the arguments of their names, or with the items of the first one."""
    system: str | list[str] = ""
    """Where the system prompt is, or what becomes part of it: a sink of the class ``prompt-system`` too."""


class Made(_Strict, frozen=True):
    """What objects of a type are in the system map."""

    is_: str = msgspec.field(name="is")
    named: list[str] = []
    """The arguments that name it, of the call that makes it: the first that is a text."""
    can: dict[str, list[str]] = {}
    """Of tools whose code is the library's: for each of the ``CAPABILITIES``, the names of classes and functions (``*``: any end) that
    make a tool that can do it."""


class Operator(_Strict, frozen=True):
    """An operator with a meaning of its own for some receivers."""

    op: str
    left: str = ""
    right: str = ""
    """Types (of ``types``); empty: anything. One side at least is given."""
    makes: str = "chain"


class Example(_Strict, frozen=True):
    """Code that is a test of the file: the rules reported are exactly those of ``# expect: rule-id`` comments."""

    code: str
    why: str = ""
    files: dict[str, str] = {}
    """More files of the example, by path."""
    map: list[str] = []
    """The system map of the example, where it is looked at: components (``llm gpt-4o``), what tools can do (``tool run can
    executes-shell``) and edges (``agent writer offers-tool tool run``), all of them, in any order."""


class ApiFile(_Strict, frozen=True):
    """One file of API models."""

    library: str
    versions: str = ""
    """Versions whose signatures were read (``openai 0.27, 1.109, 3.54``)."""
    types: dict[str, list[str]] = {}
    components: dict[str, str | Made] = {}
    """What objects of a type are in the system map: ``LangChainModel: llm``, or ``{is: llm, named: [$model]}``."""
    apis: list[Api] = []
    operators: list[Operator] = []
    examples: list[Example] = []
