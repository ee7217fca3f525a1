"""Scripts that run in the environments of the tools, with the tools' own packages. Nothing of Headwater is imported in them."""
