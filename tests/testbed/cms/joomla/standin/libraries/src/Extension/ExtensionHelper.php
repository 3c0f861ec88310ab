<?php
// STAND-IN for Joomla: which extensions are its own.
namespace Joomla\CMS\Extension;

defined( '_JEXEC' ) || die;

class ExtensionHelper {
	protected static $coreExtensions = [
		// Type, element, folder, client.
		[ 'component', 'com_admin', '', 1 ],
		[ 'component', 'com_content', '', 1 ],
		[ 'component', 'com_joomlaupdate', '', 1 ],
		[ 'plugin', 'vote', 'content', 0 ],
		[ 'template', 'cassiopeia', '', 0 ],
		[ 'language', 'en-GB', '', 0 ],
		[ 'language', 'en-GB', '', 1 ],
		[ 'package', 'pkg_en-GB', '', 0 ],
		[ 'file', 'joomla', '', 0 ],
	];

	public static function getCoreExtensions() {
		return self::$coreExtensions;
	}
}
