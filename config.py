"""Configurations of the stand-alone server.

Choose with ``CHUNKED_UPLOAD_CONFIG=development|testing|production``, or name a class of your own
here as ``CHUNKED_UPLOAD_CONFIG=config.MyConfig``. Environment variables win over any of them:
``SECRET_KEY``, ``SQLALCHEMY_DATABASE_URI`` and every ``CHUNKED_UPLOAD_*`` key (docs/settings.md).
"""

from chunked_upload.server.app import DevelopmentConfig, ProductionConfig, TestingConfig

__all__ = ["DevelopmentConfig", "ProductionConfig", "TestingConfig"]
