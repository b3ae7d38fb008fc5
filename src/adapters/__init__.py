"""One folder a technology, each implementing ports of the application.

May import: the application's ports, the domain and the folder's own driver. Must never: import another adapter
folder, or be imported by anything but the composition root.
"""
