"""The review as one HTML file for people: a page for leads, pages for engineers, the map, threats, standards, coverage, a checklist."""
