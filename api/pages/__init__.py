"""The pages that people see: HTML over the API's own answers, which each page asks for from within (inside.py).

A page decides what is shown and where; what is true and who may do what is the API's business. Everything works as
plain HTML with forms (posting.py); the modules in `api/web/js` make it quicker and live.
"""
