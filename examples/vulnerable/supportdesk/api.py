"""The web service."""

from fastapi import FastAPI, Request, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from supportdesk import attachments, calculator
from supportdesk.agent import SupportAgent
from supportdesk.classifier import PriorityModel
from supportdesk.config import load_settings
from supportdesk.llm import ChatClient
from supportdesk.prompts import Prompts, fill
from supportdesk.retriever import Retriever
from supportdesk.toolbox import store

settings = load_settings()
chat = ChatClient(settings)
prompts = Prompts(settings)
retriever = Retriever(settings.data / "index.pkl")
agent = SupportAgent(chat, retriever, prompts)
priorities = PriorityModel(settings.data / "priority.pt")

app = FastAPI(title="Support desk assistant")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"])


class Question(BaseModel):
    text: str


class Preview(BaseModel):
    template: str
    customer: str


@app.get("/health")
def health() -> dict:
    return {"chunks": len(retriever.chunks)}


@app.post("/documents")
async def upload(file: UploadFile) -> dict:
    content = await file.read()
    path = attachments.keep(file.filename, content)
    text = content.decode("utf-8", errors="replace")
    store.add_document(path.name, text)
    return {"chunks": retriever.add(path.name, text)}


@app.post("/chat")
def answer(question: Question) -> dict:
    return {"priority": priorities.priority(question.text), "answer": agent.answer(question.text)}


@app.get("/answers", response_class=HTMLResponse)
def answer_page(text: str) -> HTMLResponse:
    reply = chat.ask(prompts.text("system"), text)
    return HTMLResponse(f"<h1>Support desk</h1><article>{reply}</article>")


@app.post("/estimates")
def estimate(question: Question) -> dict:
    formula = chat.ask(prompts.text("estimate"), question.text)
    return {"formula": formula, "amount": calculator.evaluate(formula.strip())}


@app.post("/reports")
def report(question: Question) -> dict:
    statement = chat.ask(prompts.text("report"), question.text)
    return {"rows": store.rows(statement.strip())}


@app.get("/orders")
def orders(email: str) -> dict:
    return {"orders": store.orders_of(email)}


@app.post("/templates/preview")
def preview(wanted: Preview) -> dict:
    return {"text": fill(wanted.template, {"customer": wanted.customer})}


@app.get("/index")
def export_index() -> Response:
    return Response(retriever.export(), media_type="application/octet-stream")


@app.put("/index")
async def import_index(request: Request) -> dict:
    return {"chunks": retriever.restore(await request.body())}
