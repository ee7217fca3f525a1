"""Support desk assistant: answers customers' questions from their documents and looks things up with tools."""
