"""Several hosts: N nodes behind a load balancer, with PostgreSQL and versitygw.

The nodes are server processes with instance folders and network namespaces of their own, on one
machine. ``make cluster`` runs a cluster for a person. The rows of the scorecard that need one are
in ``tests/faults/test_cluster_*.py``::

    with Cluster(directory, nodes=4, balancer="nginx") as cluster:
        cluster.expect(upload)       # what a client was promised
        cluster.nodes[1].kill()
        ...
        for complaint in cluster.verify():
            run.violation(complaint)
"""
