"""Red teaming: runs Garak and PyRIT against an endpoint or an application, and reads what they and promptfoo report."""
