"""Customers, orders and documents in SQLite. Reading opens the file read-only and knows a fixed set of queries."""

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers(id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, customer_id INTEGER, item TEXT, total REAL, status TEXT);
CREATE TABLE IF NOT EXISTS documents(id INTEGER PRIMARY KEY, customer_id INTEGER, name TEXT, text TEXT);
"""
CUSTOMERS = [(1, "Ada Weber", "ada@example.com"), (2, "Jon Brook", "jon@example.com")]
ORDERS = [(1, 1, "Router", 89.0, "open"), (2, 1, "Cable", 9.5, "sent"), (3, 2, "Modem", 120.0, "open")]
REPORTS = {
    "orders": "SELECT id, item, total, status FROM orders WHERE customer_id = ?",
    "open_orders": "SELECT id, item, total FROM orders WHERE customer_id = ? AND status = 'open'",
    "spent": "SELECT sum(total) FROM orders WHERE customer_id = ?",
}


class Store:
    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        with sqlite3.connect(self.path) as connection:
            connection.executescript(SCHEMA)
            connection.executemany("INSERT OR IGNORE INTO customers VALUES (?, ?, ?)", CUSTOMERS)
            connection.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)

    def add_document(self, customer: int, name: str, text: str) -> None:
        with sqlite3.connect(self.path) as connection:
            connection.execute("INSERT INTO documents(customer_id, name, text) VALUES (?, ?, ?)", (customer, name, text))

    def report(self, name: str, customer: int) -> list[tuple]:
        statement = REPORTS[name]
        with sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True) as connection:
            return connection.execute(statement, (customer,)).fetchall()
