<?php
/**
 * Plugin Name: TB New PHP
 * Description: Test plugin whose version 2.0 needs a PHP that does not exist yet.
 * Version: 2.0
 * Requires at least: 6.0
 * Requires PHP: 99.0
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;
