"""What stands in for a kubelet: a registered node whose pods' containers are processes of this machine.

``node.Node`` is what tests hold; everything else runs in its thread, on its event loop. ``pod_worker`` is a pod's life.
"""
