"""The web service."""

from html import escape
from typing import Literal

from fastapi import Depends, FastAPI, HTTPException, Request, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from supportdesk import attachments, calculator
from supportdesk.access import Customer, administrator
from supportdesk.agent import SupportAgent
from supportdesk.classifier import PriorityModel
from supportdesk.config import load_settings
from supportdesk.llm import ChatClient
from supportdesk.prompts import Prompts
from supportdesk.retriever import Retriever
from supportdesk.store import REPORTS
from supportdesk.toolbox import store

settings = load_settings()
chat = ChatClient(settings)
prompts = Prompts(settings)
retriever = Retriever(settings.data / "index.json")
agent = SupportAgent(chat, retriever, prompts)
priorities = PriorityModel(settings.data / "priority.pt")

app = FastAPI(title="Support desk assistant")
app.add_middleware(CORSMiddleware, allow_origins=settings.origins, allow_credentials=False, allow_methods=["GET", "POST"])


class Question(BaseModel):
    text: str


class Preview(BaseModel):
    template: Literal["welcome", "closed"]
    customer: str


@app.get("/health")
def health() -> dict:
    return {"chunks": len(retriever.chunks)}


@app.post("/documents")
async def upload(file: UploadFile, customer: Customer) -> dict:
    content = await file.read(attachments.LARGEST + 1)
    try:
        name = attachments.keep(customer, content)
    except ValueError as error:
        raise HTTPException(413) from error
    text = content.decode("utf-8", errors="replace")
    store.add_document(customer, name, text)
    return {"name": name, "chunks": retriever.add(customer, name, text)}


@app.post("/chat")
def answer(question: Question, customer: Customer) -> dict:
    return {"priority": priorities.priority(question.text), "answer": agent.answer(customer, question.text)}


@app.get("/answers", response_class=HTMLResponse)
def answer_page(text: str, customer: Customer) -> HTMLResponse:
    reply = chat.ask(prompts.system, text)
    return HTMLResponse(f"<h1>Support desk</h1><article>{escape(reply)}</article>")


@app.post("/estimates")
def estimate(question: Question, customer: Customer) -> dict:
    formula = chat.ask(prompts.estimate, question.text).strip()
    try:
        return {"formula": formula, "amount": calculator.evaluate(formula)}
    except (ArithmeticError, SyntaxError, ValueError) as error:
        raise HTTPException(422, "not a sum") from error


@app.post("/reports")
def report(question: Question, customer: Customer) -> dict:
    name = chat.ask(prompts.report, question.text).strip()
    if name not in REPORTS:
        raise HTTPException(422, "no such report")
    return {"rows": store.report(name, customer)}


@app.get("/orders")
def orders(customer: Customer) -> dict:
    return {"orders": store.report("orders", customer)}


@app.post("/templates/preview")
def preview(wanted: Preview, customer: Customer) -> dict:
    return {"text": prompts.fill(wanted.template, wanted.customer)}


@app.get("/index", dependencies=[Depends(administrator)])
def export_index() -> Response:
    return Response(retriever.export(), media_type="application/json")


@app.put("/index", dependencies=[Depends(administrator)])
async def import_index(request: Request) -> dict:
    try:
        return {"chunks": retriever.restore(await request.body())}
    except ValueError as error:
        raise HTTPException(422, "not an index") from error
