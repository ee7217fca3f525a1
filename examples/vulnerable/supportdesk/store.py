"""Customers, orders and documents in SQLite."""

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers(id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, customer_id INTEGER, item TEXT, total REAL, status TEXT);
CREATE TABLE IF NOT EXISTS documents(id INTEGER PRIMARY KEY, name TEXT, text TEXT);
"""
CUSTOMERS = [(1, "Ada Weber", "ada@example.com"), (2, "Jon Brook", "jon@example.com")]
ORDERS = [(1, 1, "Router", 89.0, "open"), (2, 1, "Cable", 9.5, "sent"), (3, 2, "Modem", 120.0, "open")]


class Store:
    def __init__(self, path: Path) -> None:
        self.path = path
        with self.connect() as connection:
            connection.executescript(SCHEMA)
            connection.executemany("INSERT OR IGNORE INTO customers VALUES (?, ?, ?)", CUSTOMERS)
            connection.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    def add_document(self, name: str, text: str) -> None:
        with self.connect() as connection:
            connection.execute("INSERT INTO documents(name, text) VALUES (?, ?)", (name, text))

    def rows(self, statement: str) -> list[tuple]:
        with self.connect() as connection:
            return connection.execute(statement).fetchall()

    def orders_of(self, email: str) -> list[tuple]:
        joined = "SELECT orders.id, item, status FROM orders JOIN customers ON customers.id = customer_id"
        with self.connect() as connection:
            return connection.execute(f"{joined} WHERE email = '{email}'").fetchall()
